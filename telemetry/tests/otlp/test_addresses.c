/*
 * The order in which a collector's addresses are tried.
 */
#include "otlp/addresses.h"

#include "support.h"

/* Blank-separated addresses as a list. */
static struct tel__addresses list_of(const char *text)
{
    struct tel__addresses addresses = {0};
    char copy[512];
    char *rest;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        tel__addresses_add(&addresses, word);
    }
    return addresses;
}

static void assert_list(const struct tel__addresses *addresses, const char *text)
{
    char joined[512] = "";
    for (size_t i = 0; i < addresses->count; i++) {
        strcat(strcat(joined, i > 0 ? " " : ""), addresses->text[i]);
    }
    assert_string_equal(joined, text);
}

static void test_numeric(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "::1", "2001:db8::1", "::ffff:192.0.2.1"};
    static const char *const names[] = {"",          "localhost",  "127.1",
                                        "1.2.3.4.5", "fe80::1%lo", "[::1]"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        assert_true(tel__address_is_numeric(addresses[i]));
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_false(tel__address_is_numeric(names[i]));
    }
}

static void test_add(void **state)
{
    (void)state;
    struct tel__addresses addresses = list_of("::1 127.0.0.1 ::1 1.1.1.1 127.0.0.1");
    assert_list(&addresses, "::1 127.0.0.1 1.1.1.1");
    tel__addresses_add(&addresses, "an address can never be as long as this one, which is none");
    assert_int_equal(addresses.count, 3);
    addresses = list_of("::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9");
    assert_list(&addresses, "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8");
}

static void test_join(void **state)
{
    (void)state;
    static const struct {
        const char *ipv6;
        const char *ipv4;
        const char *joined;
    } cases[] = {
        {"", "", ""},
        {"::1", "", "::1"},
        {"", "1.1.1.1 2.2.2.2", "1.1.1.1 2.2.2.2"},
        {"::2 ::1", "2.2.2.2 1.1.1.1", "::2 ::1 2.2.2.2 1.1.1.1"},
        {"::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8", "1.1.1.1", "::1 ::2 ::3 ::4 ::5 ::6 ::7 1.1.1.1"},
        {"::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8", "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5",
         "::1 ::2 ::3 ::4 1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4"},
        {"::1", "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5 6.6.6.6 7.7.7.7 8.8.8.8",
         "::1 1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5 6.6.6.6 7.7.7.7"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__addresses ipv6 = list_of(cases[i].ipv6);
        struct tel__addresses ipv4 = list_of(cases[i].ipv4);
        struct tel__addresses joined = list_of("9.9.9.9");
        tel__addresses_join(&joined, &ipv6, &ipv4);
        assert_list(&joined, cases[i].joined);
    }
}

static struct tel__addresses sorted(const struct tel__avoided *avoided, const char *text,
                                    uint64_t now_ns)
{
    struct tel__addresses addresses = list_of(text);
    tel__avoided_sort(avoided, &addresses, now_ns);
    return addresses;
}

/* What failed is tried last, until it works or half an hour is over. */
static void test_avoided(void **state)
{
    (void)state;
    struct tel__avoided avoided = {0};
    struct tel__addresses addresses = sorted(&avoided, "::1 1.1.1.1", 5);
    assert_list(&addresses, "::1 1.1.1.1");
    tel__avoided_add(&avoided, "::1", 5);
    addresses = sorted(&avoided, "::1 ::2 1.1.1.1", 5);
    assert_list(&addresses, "::2 1.1.1.1 ::1");
    addresses = sorted(&avoided, "::1", 5);
    assert_list(&addresses, "::1"); /* last is not never */
    addresses = sorted(&avoided, "::1 1.1.1.1", 5 + TEL__ADDRESS_AVOID_NS);
    assert_list(&addresses, "::1 1.1.1.1");
    tel__avoided_add(&avoided, "1.1.1.1", 10);
    addresses = sorted(&avoided, "::1 1.1.1.1 ::2", 20);
    assert_list(&addresses, "::2 ::1 1.1.1.1"); /* both failed: as given */
    tel__avoided_remove(&avoided, "::1");
    tel__avoided_remove(&avoided, "3.3.3.3"); /* nobody knows it */
    addresses = sorted(&avoided, "1.1.1.1 ::1 ::2", 20);
    assert_list(&addresses, "::1 ::2 1.1.1.1");
}

/* There is room for a few; the oldest is forgotten, and one that fails again takes no more room. */
static void test_avoided_is_bounded(void **state)
{
    (void)state;
    struct tel__avoided avoided = {0};
    char text[16];
    for (int round = 0; round < 3; round++) {
        tel__avoided_add(&avoided, "1.1.1.1", 1);
    }
    for (int i = 0; i < TEL__ADDRESSES_MAX - 1; i++) {
        snprintf(text, sizeof(text), "::%d", i + 1);
        tel__avoided_add(&avoided, text, 1);
    }
    struct tel__addresses addresses = sorted(&avoided, "1.1.1.1 ::1 ::9", 2);
    assert_list(&addresses, "::9 1.1.1.1 ::1");
    tel__avoided_add(&avoided, "::9", 1);
    addresses = sorted(&avoided, "::9 ::1 1.1.1.1", 2);
    assert_list(&addresses, "1.1.1.1 ::9 ::1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_avoided),
        cmocka_unit_test(test_avoided_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
