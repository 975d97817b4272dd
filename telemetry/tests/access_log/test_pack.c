/*
 * Packing: what goes in comes out, nothing is kept by reference, and what is too long is cut where
 * it does no harm.
 */
#include "support.h"

#include "access_log/pack.h"

static void compile(struct tel__fields *fields, const char *list)
{
    char message[2048];
    assert_int_equal(tel__fields_compile(fields, list, false, message, sizeof(message)), 0);
}

/* Packs into memory of exactly the size that was announced, so that a sanitizer sees one byte more;
 * the caller frees it. */
static char *pack(const struct tel__fields *fields, const struct tel_access_record *record)
{
    size_t size = tel__pack_size(fields, record);
    assert_true(size <= fields->record_max);
    char *packed = malloc(size > 0 ? size : 1);
    assert_non_null(packed);
    tel__pack(fields, record, packed);
    return packed;
}

static void assert_text(struct tel_text text, const char *expected)
{
    if (expected == NULL) {
        assert_null(text.data);
        return;
    }
    assert_non_null(text.data);
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

static void test_values_come_back(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "time time-taken sc-status cs-method cs-uri-query x-error x-trace-id "
                     "x-span-id cs(User-Agent)");
    struct tel_access_record record = example_record();
    char method[] = "PATCH";
    record.method = text(method);
    record.uri_query = (struct tel_text){"", 0};
    char *packed = pack(&fields, &record);
    memset(method, 'x', sizeof(method)); /* nothing is kept by reference */

    struct tel__values values;
    uint64_t number;
    uint16_t status;
    tel__unpack(&fields, packed, &values);
    memcpy(&number, values.at[0].data, sizeof(number));
    assert_int_equal(number, EXAMPLE_WALL_NS);
    memcpy(&number, values.at[1].data, sizeof(number));
    assert_int_equal(number, 1234567);
    memcpy(&status, values.at[2].data, sizeof(status));
    assert_int_equal(status, 200);
    assert_text(values.at[3], "PATCH");
    assert_text(values.at[4], "");   /* empty is not missing */
    assert_text(values.at[5], NULL); /* missing is not empty */
    assert_memory_equal(values.at[6].data, record.trace_id, 16);
    assert_memory_equal(values.at[7].data, record.span_id, 8);
    assert_text(values.at[8], "curl/8.1");
    free(packed);
}

/* Ids that were not set are not read from whatever lies there. */
static void test_untraced(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "x-trace-id x-span-id");
    struct tel_access_record record = example_record();
    record.traced = false;
    char *packed = pack(&fields, &record);
    static const char zeros[16 + 8];
    assert_int_equal(tel__pack_size(&fields, &record), sizeof(zeros));
    assert_memory_equal(packed, zeros, sizeof(zeros));
    free(packed);
}

static void test_addresses(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "c-ip s-port");
    struct sockaddr unix_address = {.sa_family = AF_UNIX};
    struct tel_access_record record = example_record();
    const struct {
        const struct sockaddr *address;
        uint8_t length;
        uint16_t port;
    } cases[] = {
        {record.client, 4, 50123},
        {record.server, 16, 8080},
        {&unix_address, 0, 0},
        {NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        record.client = cases[i].address;
        char *packed = pack(&fields, &record);
        struct tel__values values;
        struct tel__address address;
        tel__unpack(&fields, packed, &values);
        memcpy(&address, values.at[0].data, sizeof(address));
        assert_int_equal(address.length, cases[i].length);
        assert_int_equal(address.port, cases[i].port);
        free(packed);
    }
}

/* A value of `length` bytes: `a`s, and `tail` from byte 1022 on. */
static void test_long_values_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *tail;
        size_t length;
        size_t kept;
    } cases[] = {
        {"", TEL_ACCESS_VALUE_MAX, TEL_ACCESS_VALUE_MAX},
        {"", TEL_ACCESS_VALUE_MAX + 1, TEL_ACCESS_VALUE_MAX},
        {"", 100000, TEL_ACCESS_VALUE_MAX},
        {"a%41", 1026, 1023},      /* never a lone % */
        {"%41", 1025, 1022},       /* nor half an escape */
        {"\xc3\xbc", 1025, 1024},  /* a character that just fits */
        {"a\xc3\xbc", 1025, 1023}, /* one that does not */
        {"a\xe2\x82\xac", 1026, 1023},
    };
    struct tel__fields fields;
    compile(&fields, "cs-uri-stem");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *value = malloc(cases[i].length + 8);
        assert_non_null(value);
        memset(value, 'a', cases[i].length);
        memcpy(value + 1022, cases[i].tail, strlen(cases[i].tail));
        struct tel_access_record record = {.uri_stem = {value, cases[i].length}};
        char *packed = pack(&fields, &record);
        struct tel__values values;
        tel__unpack(&fields, packed, &values);
        assert_int_equal(values.at[0].length, cases[i].kept);
        assert_memory_equal(values.at[0].data, value, cases[i].kept);
        free(packed);
        free(value);
    }
}

/* The largest record there can be takes exactly what was announced as the most. */
static void test_largest_record(void **state)
{
    (void)state;
    static char longest[TEL_ACCESS_VALUE_MAX];
    memset(longest, 'a', sizeof(longest));
    struct tel_text text = {longest, sizeof(longest)};
    struct tel__fields fields;
    compile(&fields, tel_access_fields_default);
    struct tel_access_record record = example_record();
    record.method = record.uri_stem = record.uri_query = record.version = record.host = text;
    record.route = record.error = record.fault = text;
    record.request_headers[0] = record.request_headers[1] = text;
    assert_int_equal(tel__pack_size(&fields, &record), fields.record_max);
}

/* Texts of every length up to where copying is a loop come back as they were, and the record is as
 * long as announced. */
static void test_short_and_long_texts(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "cs-method cs-uri-stem sc-status");
    char letters[100];
    for (size_t i = 0; i < sizeof(letters); i++) {
        letters[i] = (char)('!' + i % 90);
    }
    for (size_t length = 0; length <= sizeof(letters); length++) {
        struct tel_access_record record = {
            .method = {letters, length},
            .uri_stem = {letters + sizeof(letters) - length, length},
        };
        char *packed = pack(&fields, &record);
        struct tel__values values;
        tel__unpack(&fields, packed, &values);
        assert_int_equal(values.at[0].length, length);
        assert_memory_equal(values.at[0].data, record.method.data, length);
        assert_int_equal(values.at[1].length, length);
        assert_memory_equal(values.at[1].data, record.uri_stem.data, length);
        assert_int_equal(tel__pack(&fields, &record, packed), tel__pack_size(&fields, &record));
        free(packed);
    }
}

/* A text that must be cut takes what is left of it; what was announced may be more, never less. */
static void test_sizes(void **state)
{
    (void)state;
    static char escapes[3 * TEL_ACCESS_VALUE_MAX];
    for (size_t i = 0; i < sizeof(escapes); i++) {
        escapes[i] = "%41"[i % 3];
    }
    struct tel__fields fields;
    compile(&fields, "cs-uri-stem");
    static const struct {
        struct tel_text text;
        size_t announced, packed; /* without the text's length */
    } cases[] = {
        {{NULL, 0}, 0, 0},
        {{NULL, 5}, 0, 0}, /* the length of nothing is not looked at */
        {{escapes, 0}, 0, 0},
        {{escapes, 7}, 7, 7},
        {{escapes, TEL_ACCESS_VALUE_MAX}, TEL_ACCESS_VALUE_MAX, TEL_ACCESS_VALUE_MAX},
        {{escapes, sizeof(escapes)}, TEL_ACCESS_VALUE_MAX, TEL_ACCESS_VALUE_MAX - 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_record record = {.uri_stem = cases[i].text};
        char *packed = pack(&fields, &record);
        assert_int_equal(tel__pack_size(&fields, &record), 2 + cases[i].announced);
        assert_int_equal(tel__pack(&fields, &record, packed), 2 + cases[i].packed);
        free(packed);
    }
}

/* Lanes: values of one size side by side, in the order of the list, whatever stands between them
 * there. */
static void test_layout(void **state)
{
    (void)state;
    struct tel__fields fields;
    compile(&fields, "cs-method sc-status x-span-id c-ip time cs-uri-stem x-trace-id sc-bytes");
    static const struct {
        uint16_t offset;
        uint8_t bytes;
    } expected[] = {
        {61, 2},  /* the length of the method; behind status */
        {59, 2},  /* status; behind the address */
        {16, 8},  /* the span's id; behind the words */
        {40, 19}, /* the address; behind the ids */
        {0, 8},   /* end */
        {63, 2},  /* the length of the stem */
        {24, 16}, /* the trace's id */
        {8, 8},   /* bytes sent */
    };
    assert_int_equal(fields.slot_count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < fields.slot_count; i++) {
        assert_int_equal(fields.slots[i].offset, expected[i].offset);
        assert_int_equal(fields.slots[i].bytes, expected[i].bytes);
    }
    assert_int_equal(fields.lane_bytes, 65);
    assert_int_equal(fields.record_max, 65 + 2 * TEL_ACCESS_VALUE_MAX);
    assert_int_equal(fields.lanes[TEL__IDS].count, 3); /* words */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_back),
        cmocka_unit_test(test_untraced),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_largest_record),
        cmocka_unit_test(test_short_and_long_texts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
