/*
 * The field list: what is allowed, what is refused and how that is said, and what a compiled list
 * keeps of a request.
 */
#include "support.h"

#include "access_log/fields.h"

static int compile(struct tel__fields *fields, const char *list, char message[2048])
{
    message[0] = '\0';
    return tel__fields_compile(fields, list, false, message, 2048);
}

/* Lists and the names they mean. */
static void test_lists_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *names; /* joined by one space */
    } cases[] = {
        {"date", "date"},
        {"date time", "date time"},
        {"date,time", "date time"},
        {"  date ,\ttime, ", "date time"},
        {"cs(User-Agent) sc(Content-Type)", "cs(User-Agent) sc(Content-Type)"},
        {"cs(X)", "cs(X)"},
        {"cs(Host) sc(Host)", "cs(Host) sc(Host)"},
        {"cs(!#$%&'*+-.^_`|~09azAZ)", "cs(!#$%&'*+-.^_`|~09azAZ)"},
        {tel_access_fields_default, tel_access_fields_default},
        {tel_access_fields_iis, tel_access_fields_iis},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__fields fields;
        char message[2048];
        char names[2048] = "";
        assert_int_equal(compile(&fields, cases[i].list, message), 0);
        for (size_t k = 0; k < fields.count; k++) {
            add(names, sizeof(names), "%s%s", k == 0 ? "" : " ", fields.list[k].name);
        }
        assert_string_equal(names, cases[i].names);
        assert_string_equal(message, "");
    }
}

/* What is wrong is told by name, with what would be right. */
static void test_refusals_name_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *expected; /* start of the message */
    } cases[] = {
        {"", "no fields; allowed: date time time-taken"},
        {" , ", "no fields; allowed: "},
        {"date tme", "unknown field \"tme\"; allowed: date time"},
        {"Date", "unknown field \"Date\"; "},
        {"date date", "field \"date\" is there twice"},
        {"cs(Host) cs(host)", "field \"cs(host)\" is there twice"},
        {"cs()", "field \"cs()\" does not hold a header's name"},
        {"cs(a b)", "unknown field \"cs(a\"; "},
        {"cs(a:b)", "field \"cs(a:b)\" does not hold a header's name"},
        {"cs(\xc3\xbc)", "field \"cs(\xc3\xbc)\" does not hold a header's name"},
        {"cs(Host", "unknown field \"cs(Host\"; "},
        {"rs(Host)", "unknown field \"rs(Host)\"; "},
        {"x-foo", "unknown field \"x-foo\"; "},
        {"c-dns", "unknown field \"c-dns\"; "},
        {"c)", "unknown field \"c)\"; "},
        {")", "unknown field \")\"; "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char message[2048] = "";
        assert_int_equal(tel_access_fields_check(cases[i].list, message, sizeof(message)), -EINVAL);
        message[strlen(cases[i].expected)] = '\0';
        assert_string_equal(message, cases[i].expected);
    }
}

/* Every name that a message offers is one that is taken. */
static void test_what_is_offered_is_taken(void **state)
{
    (void)state;
    char message[2048];
    assert_int_equal(tel_access_fields_check("", message, sizeof(message)), -EINVAL);
    const char *names = strstr(message, "allowed: ") + strlen("allowed: ");
    assert_non_null(strstr(names, "x-fault"));
    assert_int_equal(tel_access_fields_check(names, NULL, 0), 0);
}

static void test_longest_names(void **state)
{
    (void)state;
    char list[256];
    char message[2048];
    snprintf(list, sizeof(list), "cs(%0*d)", TEL__HEADER_NAME_MAX, 0);
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), 0);
    snprintf(list, sizeof(list), "cs(%0*d)", TEL__HEADER_NAME_MAX + 1, 0);
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), -EINVAL);
    assert_non_null(strstr(message, "is longer than 68 bytes"));
}

/* Appends `prefix`(H0), `prefix`(H1), … to a list. */
static void add_headers(char *list, size_t size, const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        add(list, size, " %s(H%d)", prefix, i);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    char message[2048];
    char list[4096] = "date";
    add_headers(list, sizeof(list), "cs", TEL_ACCESS_HEADERS_MAX);
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), 0);
    add(list, sizeof(list), " cs(More)");
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), -EINVAL);
    assert_string_equal(message,
                        "field \"cs(More)\" is one header too many: at most 16 a direction");

    list[0] = '\0';
    add(list, sizeof(list), "%s",
        "date time time-taken c-ip c-port s-ip s-port cs-method cs-uri cs-uri-stem "
        "cs-uri-query cs-version cs-host sc-status cs-bytes sc-bytes");
    add_headers(list, sizeof(list), "cs", TEL_ACCESS_HEADERS_MAX);
    add_headers(list, sizeof(list), "sc", TEL_ACCESS_HEADERS_MAX);
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), 0);
    add(list, sizeof(list), " x-route");
    assert_int_equal(tel_access_fields_check(list, message, sizeof(message)), -EINVAL);
    assert_string_equal(message, "field \"x-route\" is one too many: at most 48");
}

/* A message is cut to the room there is, and none at all is fine. */
static void test_small_messages(void **state)
{
    (void)state;
    char message[8] = "1234567";
    assert_int_equal(tel_access_fields_check("nonsense", message, sizeof(message)), -EINVAL);
    assert_string_equal(message, "unknown");
    assert_int_equal(tel_access_fields_check("nonsense", NULL, 0), -EINVAL);
}

/* Fields that need the same value share a slot; what is not asked for is not kept. */
static void test_slots(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        size_t slots;
    } cases[] = {
        {"date", 1},
        {"date time", 1},
        {"c-ip c-port", 1},
        {"cs-uri", 2},
        {"cs-uri cs-uri-stem cs-uri-query", 2},
        {"bytes cs-bytes sc-bytes", 2},
        {"cs-username sc-substatus cached s-computername", 0},
        {"cs(A) cs(B) sc(A)", 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__fields fields;
        char message[2048];
        assert_int_equal(compile(&fields, cases[i].list, message), 0);
        assert_int_equal(fields.slot_count, cases[i].slots);
    }
}

/* Headers are numbered a direction, in the order of the list, as they were written. */
static void test_headers(void **state)
{
    (void)state;
    struct tel__fields fields;
    char message[2048];
    assert_int_equal(compile(&fields, "cs(Referer) sc(ETag) cs(user-agent)", message), 0);
    assert_int_equal(fields.header_counts[TEL_ACCESS_REQUEST], 2);
    assert_string_equal(fields.headers[TEL_ACCESS_REQUEST][0], "Referer");
    assert_string_equal(fields.headers[TEL_ACCESS_REQUEST][1], "user-agent");
    assert_int_equal(fields.header_counts[TEL_ACCESS_RESPONSE], 1);
    assert_string_equal(fields.headers[TEL_ACCESS_RESPONSE][0], "ETag");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_read),
        cmocka_unit_test(test_refusals_name_the_field),
        cmocka_unit_test(test_what_is_offered_is_taken),
        cmocka_unit_test(test_longest_names),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_small_messages),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
