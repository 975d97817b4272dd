/*
 * Addresses as people write them. Each row is what was written and how it comes back; NULL: it is
 * refused.
 */
#include "address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *text;
    const char *back;
};

static void test_parse_and_format(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[::1]:65535", "[::1]:65535"},
        {"[2001:DB8::0:1]:80", "[2001:db8::1]:80"},
        {"[fe80::1%1]:80", "[fe80::1%1]:80"},
        {"[fe80::1%lo]:80", "[fe80::1%1]:80"},
        {"[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
        {"", NULL},
        {"8080", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:99999999", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0.1:80 ", NULL},
        {"127.0.0.1:0x50", NULL},
        {"127.1:80", NULL},
        {"::1:80", NULL},
        {"[::1:80", NULL},
        {"[]:80", NULL},
        {"[127.0.0.1]:80", NULL},
        {"[fe80::1%]:80", NULL},
        {"[fe80::1%no-such-link]:80", NULL},
        {"localhost:80", NULL},
        {"**:80", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address address;
        char out[ADDRESS_TEXT_MAX];
        memset(&address, 0xaa, sizeof(address));
        int result = address_parse(rows[i].text, strlen(rows[i].text), &address);
        if (rows[i].back == NULL) {
            assert_int_equal(result, -EINVAL);
            assert_int_equal(address.length, 0xaaaaaaaa); /* left alone */
            continue;
        }
        assert_int_equal(result, 0);
        assert_false(address.every_family);
        assert_string_equal(address_format(&address.any, out), rows[i].back);
    }
}

static void test_without_a_host(void **state)
{
    (void)state;
    static const char *const texts[] = {":8080", "*:8080"};
    for (size_t i = 0; i < 2; i++) {
        struct address address;
        assert_int_equal(address_parse(texts[i], strlen(texts[i]), &address), 0);
        assert_true(address.every_family);
        assert_int_equal(address.any.sa_family, AF_INET6);
        assert_int_equal(address.length, sizeof(struct sockaddr_in6));
        assert_memory_equal(&address.v6.sin6_addr, &in6addr_any, sizeof(in6addr_any));
        assert_int_equal(ntohs(address.v6.sin6_port), 8080);
    }
}

/* A list is cut by its commas, so parse must not look beyond `length`. */
static void test_length_ends_the_text(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse("127.0.0.1:8080,x", 14, &address), 0);
    assert_int_equal(ntohs(address.v4.sin_port), 8080);
    assert_int_equal(address_parse("127.0.0.1:80\0", 13, &address), -EINVAL);
}

static void test_longest_host(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT_MAX + 8];
    memset(text, '1', sizeof(text));
    memcpy(text + ADDRESS_TEXT_MAX, ":80", 3);
    struct address address;
    assert_int_equal(address_parse(text, ADDRESS_TEXT_MAX + 3, &address), -EINVAL);
}

static void test_other_families(void **state)
{
    (void)state;
    struct sockaddr other = {.sa_family = AF_UNIX};
    char out[ADDRESS_TEXT_MAX];
    assert_string_equal(address_format(&other, out), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_format),     cmocka_unit_test(test_without_a_host),
        cmocka_unit_test(test_length_ends_the_text), cmocka_unit_test(test_longest_host),
        cmocka_unit_test(test_other_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
