/*
 * Directives: what opens a file, and which files that were opened before are ours to go on with.
 */
#include "support.h"

#include "access_log/directives.h"

static void compile(struct tel__fields *fields, const char *list, bool iis)
{
    char message[2048];
    assert_int_equal(tel__fields_compile(fields, list, iis, message, sizeof(message)), 0);
}

/* The directives as a string in static memory. */
static const char *directives(const struct tel__fields *fields, const char *software)
{
    static char content[TEL__DIRECTIVES_MAX + 1];
    struct tel_buffer out;
    tel_buffer_init(&out, TEL__DIRECTIVES_MAX);
    tel__directives_append(&out, fields, software, EXAMPLE_WALL_NS);
    assert_int_equal(out.error, 0);
    memcpy(content, out.data, out.length);
    content[out.length] = '\0';
    tel_buffer_fini(&out);
    return content;
}

static void test_directives(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "date,time cs(Host)", false);
    assert_string_equal(directives(&fields, "example/1.0"), "#Version: 1.0\n"
                                                            "#Software: example/1.0\n"
                                                            "#Start-Date: 2026-11-21 10:20:30\n"
                                                            "#Fields: date time cs(Host)\n");
    compile(&fields, "date time", true);
    assert_string_equal(directives(&fields, "example/1.0"),
                        "#Version: 1.0\n"
                        "#Software: example/1.0\n"
                        "#Start-Date: 2026-11-21 10:20:30\n"
                        "#Remark: IIS conventions, time-taken in milliseconds\n"
                        "#Fields: date time\n");
}

/* The program's name is its own affair, but it cannot break the format. */
static void test_software(void **state)
{
    (void)state;
    static const struct {
        const char *software;
        const char *expected;
    } cases[] = {
        {NULL, "#Version: 1.0\n#Start"},
        {"", "#Version: 1.0\n#Start"},
        {"a b", "#Version: 1.0\n#Software: a b\n#Start"},
        {"a\nGET /\t\xc3\xbc\x7f", "#Version: 1.0\n#Software: a?GET /????\n#Start"},
    };
    struct tel__fields fields;
    compile(&fields, "date", false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *content = directives(&fields, cases[i].software);
        assert_memory_equal(content, cases[i].expected, strlen(cases[i].expected));
    }
    char longest[1000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(count_of(directives(&fields, longest), "x"), TEL__SOFTWARE_MAX);
}

/* The longest list of the longest names fits into what was announced as the most. */
static void test_longest_directives(void **state)
{
    (void)state;
    char list[8192] = "date time time-taken c-ip c-port s-ip s-port cs-method cs-uri cs-uri-stem "
                      "cs-uri-query cs-version cs-host sc-status cs-bytes sc-bytes";
    for (int i = 0; i < TEL_ACCESS_HEADERS_MAX; i++) {
        add(list, sizeof(list), " cs(%0*d) sc(%0*d)", TEL__HEADER_NAME_MAX, i, TEL__HEADER_NAME_MAX,
            i);
    }
    struct tel__fields fields;
    compile(&fields, list, true);
    assert_int_equal(fields.count, TEL_ACCESS_FIELDS_MAX);
    char software[TEL__SOFTWARE_MAX + 1];
    memset(software, 'x', sizeof(software) - 1);
    software[sizeof(software) - 1] = '\0';
    const char *content = directives(&fields, software);
    assert_true(tel__directives_match(&fields, content, strlen(content)));
}

/* Heads of files, and whether a log of the fields `date time` goes on with them. */
static void test_matching(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool matches, matches_iis;
    } cases[] = {
        {"", false, false},
        {"#Version: 1.0\n", false, false},
        {"#Fields: date time\n", true, false},
        {"#Fields:date\ttime\r\n", true, false},
        {"#Fields:  date   time  \n", true, false},
        {"\n#Software: other\n\n#Fields: date time\n2026-11-21\t10:00:00\n", true, false},
        {"#Fields: date time", false, false}, /* torn: it may have been longer */
        {"#Fields: date\n", false, false},
        {"#Fields: date time time-taken\n", false, false},
        {"#Fields: time date\n", false, false},
        {"#Fields: date timex\n", false, false},
        {"#Fields: date tim\n", false, false},
        {"#fields: date time\n", false, false},
        {"#Fields: date\n#Fields: date time\n", false, false},       /* the first one counts */
        {"2026-11-21 10:00:00\n#Fields: date time\n", false, false}, /* entries before it */
        {"[Unit]\nDescription=x\n", false, false},                   /* no log at all */
        {"#Remark: IIS conventions, time-taken in milliseconds\n#Fields: date time\n", false, true},
        {"#Remark: hello\n#Fields: date time\n", true, false},
    };
    struct tel__fields plain;
    struct tel__fields iis;
    compile(&plain, "date time", false);
    compile(&iis, "date time", true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *head = cases[i].head;
        assert_int_equal(tel__directives_match(&plain, head, strlen(head)), cases[i].matches);
        assert_int_equal(tel__directives_match(&iis, head, strlen(head)), cases[i].matches_iis);
    }
}

/* What we write is what we recognise, whatever the version of the program. */
static void test_own_directives_match(void **state)
{
    (void)state;
    const char *lists[] = {tel_access_fields_default, tel_access_fields_iis, "cs(A) sc(B) bytes"};
    for (size_t i = 0; i < 2 * sizeof(lists) / sizeof(lists[0]); i++) {
        struct tel__fields fields;
        compile(&fields, lists[i / 2], i % 2 == 1);
        const char *content = directives(&fields, "example/0.9");
        assert_true(tel__directives_match(&fields, content, strlen(content)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directives),           cmocka_unit_test(test_software),
        cmocka_unit_test(test_longest_directives),   cmocka_unit_test(test_matching),
        cmocka_unit_test(test_own_directives_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
