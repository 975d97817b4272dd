/*
 * hosts and resolv.conf, read as people write them.
 */
#include "otlp/names.h"

#include <unistd.h>

#include "support.h"

static char path[] = "/tmp/test_names.XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count;
        const char *first;
    } cases[] = {
        {"one", 1, "192.0.2.1"},
        {"ONE", 1, "192.0.2.1"},
        {"one.", 1, "192.0.2.1"},
        {"alias", 1, "192.0.2.1"},
        {"two", 2, "2001:db8::2"},
        {"dotted", 1, "192.0.2.3"},
        {"last", 1, "192.0.2.9"},
        {"tabbed", 1, "192.0.2.4"},
        {"on", 0, NULL},
        {"comment", 0, NULL},
        {"behind", 0, NULL},
        {"scoped", 0, NULL},
        {"", 0, NULL},
        {"192.0.2.1", 0, NULL},
        {".", 0, NULL},
        {"crlf", 1, "192.0.2.5"},
    };
    static const char text[] = "# comment 192.0.2.1 comment\n\n"
                               "192.0.2.1 one alias # behind\n"
                               "192.0.2.2 two\n2001:db8::2 two\n2001:db8::2 two\n"
                               "192.0.2.3 dotted.\n"
                               "\t192.0.2.4\t\ttabbed\n"
                               "192.0.2.5 crlf\r\n"
                               "fe80::1%lo scoped\n"
                               "nonsense one\n192.0.2.8\n"
                               "192.0.2.9 last";
    write_file(text, strlen(text));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__addresses addresses;
        assert_int_equal(tel__hosts_find(path, cases[i].name, &addresses), cases[i].count > 0);
        assert_int_equal(addresses.count, cases[i].count);
        if (cases[i].count > 0) {
            assert_string_equal(addresses.text[0], cases[i].first);
        }
    }
    struct tel__addresses addresses;
    assert_false(tel__hosts_find("/nonexistent", "one", &addresses));
    assert_false(tel__hosts_find("/", "one", &addresses));
}

/* The rest of a line that is too long is not taken for a line. */
static void test_long_lines(void **state)
{
    (void)state;
    static char text[3 * TEL__CONF_LINE];
    struct tel__addresses addresses;
    memset(text, ' ', sizeof(text));
    memcpy(text, "192.0.2.1 near", 14);
    memcpy(text + TEL__CONF_LINE + 10, "192.0.2.2 far", 13);
    memcpy(text + sizeof(text) - 18, "\n192.0.2.3 next\n", 16);
    write_file(text, sizeof(text));
    assert_true(tel__hosts_find(path, "near", &addresses));
    assert_false(tel__hosts_find(path, "far", &addresses));
    assert_true(tel__hosts_find(path, "next", &addresses));
}

static void test_search_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned ndots;
        const char *domains; /* blank-separated */
    } cases[] = {
        {"search a.test b.test\n", 1, "a.test b.test"},
        {"search a.test.\nnameserver 192.0.2.1\noptions ndots:5 edns0\n", 5, "a.test"},
        {"domain a.test b.test\n", 1, "a.test"},
        {"domain a.test\nsearch b.test c.test\n", 1, "b.test c.test"},
        {"search b.test\ndomain a.test\n", 1, "a.test"},
        {"search\n", 1, ""},
        {"search .\n", 1, ""},
        {"#search a.test\n;search b.test\nsearch c.test # d.test\n", 1, "c.test"},
        {"search\ta.test\t b.test\r\noptions\tndots:0\r\n", 0, "a.test b.test"},
        {"search a\noptions ndots:99\n", 15, "a"},
        {"search a\noptions ndots:\noptions ndots:-1\noptions ndots:x\noptions ndots", 1, "a"},
        {"search 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 1,
         "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__search search;
        char joined[512] = "";
        write_file(cases[i].text, strlen(cases[i].text));
        tel__search_read(path, &search);
        for (size_t k = 0; k < search.count; k++) {
            strcat(strcat(joined, k > 0 ? " " : ""), search.domains[k]);
        }
        assert_string_equal(joined, cases[i].domains);
        assert_int_equal(search.ndots, cases[i].ndots);
    }
}

/* Without a list it is the domain of this machine's name; whether it has one is not ours to say. */
static void test_own_domain(void **state)
{
    (void)state;
    struct tel__search search;
    char own[256] = "";
    assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
    const char *dot = strchr(own, '.');
    tel__search_read("/nonexistent", &search);
    assert_int_equal(search.ndots, 1);
    assert_int_equal(search.count, dot != NULL && dot[1] != '\0');
    if (search.count > 0) {
        assert_string_equal(search.domains[0], dot + 1);
    }
}

static void test_candidates(void **state)
{
    (void)state;
    static const struct {
        unsigned ndots;
        const char *host;
        const char *names; /* blank-separated, in order */
    } cases[] = {
        {5, "otel", "otel.a.test otel.b otel"},
        {5, "otel.shop", "otel.shop.a.test otel.shop.b otel.shop"},
        {1, "otel.shop", "otel.shop otel.shop.a.test otel.shop.b"},
        {1, "otel", "otel.a.test otel.b otel"},
        {0, "otel", "otel otel.a.test otel.b"},
        {5, "otel.shop.", "otel.shop"},
        {5, "otel.", "otel"},
    };
    struct tel__search search = {.count = 2, .domains = {"a.test", "b"}};
    char name[TEL__NAME_MAX + 1];
    for (size_t i = 0; i < COUNT(cases); i++) {
        char joined[512] = "";
        search.ndots = cases[i].ndots;
        for (size_t k = 0; tel__search_name(&search, cases[i].host, k, name); k++) {
            strcat(strcat(joined, k > 0 ? " " : ""), name);
        }
        assert_string_equal(joined, cases[i].names);
    }
    char host[TEL__NAME_MAX + 1]; /* too long with a domain, but not as it is */
    memset(host, 'x', sizeof(host));
    host[TEL__NAME_MAX - 3] = '\0';
    search.ndots = 5;
    assert_true(tel__search_name(&search, host, 0, name));
    assert_string_equal(name, "");
    assert_true(tel__search_name(&search, host, 1, name));
    assert_int_equal(strlen(name), TEL__NAME_MAX - 1);
    assert_true(tel__search_name(&search, host, 2, name));
    assert_string_equal(name, host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),       cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_search_list), cmocka_unit_test(test_own_domain),
        cmocka_unit_test(test_candidates),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
