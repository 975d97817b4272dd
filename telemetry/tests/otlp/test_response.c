/*
 * Answers of a collector: which bytes are an ExportTraceServiceResponse, and what it says.
 */
#include "otlp/response.h"

#include "support.h"

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t length;
        int result;
        int64_t rejected;
        const char *message; /* NULL: none */
    } cases[] = {
        {"empty is full success", TEXT_OF(""), 0, 0, NULL},
        {"an empty partial_success", TEXT_OF("\x0a\x00"), 0, 0, NULL},
        {"rejected only", TEXT_OF("\x0a\x02\x08\x03"), 0, 3, NULL},
        {"rejected and why", TEXT_OF("\x0a\x07\x08\x03\x12\x03why"), 0, 3, "why"},
        {"a remark", TEXT_OF("\x0a\x04\x12\x02hm"), 0, 0, "hm"},
        {"an empty remark is none", TEXT_OF("\x0a\x02\x12\x00"), 0, 0, NULL},
        {"negative", TEXT_OF("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0, -1, NULL},
        {"unknown fields around and within", TEXT_OF("\x7a\x01x\x0a\x04\x18\x09\x08\x02\x10\x01"),
         0, 2, NULL},
        {"repeated: the last wins", TEXT_OF("\x0a\x04\x08\x01\x08\x05"), 0, 5, NULL},
        {"repeated messages are merged", TEXT_OF("\x0a\x02\x08\x04\x0a\x04\x12\x02hm"), 0, 4, "hm"},
        {"partial_success as a number", TEXT_OF("\x08\x01"), -EBADMSG, 0, NULL},
        {"rejected as text", TEXT_OF("\x0a\x03\x0a\x01x"), -EBADMSG, 0, NULL},
        {"the message as a number", TEXT_OF("\x0a\x02\x10\x01"), -EBADMSG, 0, NULL},
        {"JSON", TEXT_OF("{\"partialSuccess\":{}}"), -EBADMSG, 0, NULL},
        {"text", TEXT_OF("OK"), -EBADMSG, 0, NULL},
        {"HTML", TEXT_OF("<html></html>"), -EBADMSG, 0, NULL},
        {"cut", TEXT_OF("\x0a\x07\x08\x03\x12\x03wh"), -EBADMSG, 0, NULL},
        {"cut within", TEXT_OF("\x0a\x03\x12\x03w"), -EBADMSG, 0, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__response response;
        int result = tel__response_parse(cases[i].bytes, cases[i].length, &response);
        if (result != cases[i].result) {
            fail_msg("%s: %d", cases[i].what, result);
        }
        if (result != 0) {
            continue;
        }
        assert_int_equal(response.rejected, cases[i].rejected);
        if (cases[i].message == NULL) {
            assert_null(response.message);
        } else {
            assert_int_equal(response.message_length, strlen(cases[i].message));
            assert_memory_equal(response.message, cases[i].message, response.message_length);
        }
    }
}

static void test_status_message(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } cases[] = {
        {TEXT_OF(""), NULL},
        {TEXT_OF("\x08\x0e\x12\x04"
                 "busy"),
         "busy"},
        {TEXT_OF("\x08\x0e"), NULL},
        {TEXT_OF("\x12\x00"), NULL},
        {TEXT_OF("<html>"), NULL},
        {TEXT_OF("\x12\x04"
                 "busy\x0b"),
         NULL}, /* good at first, then not a message at all */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = 0;
        const char *message =
            tel__response_status_message(cases[i].bytes, cases[i].length, &length);
        if (cases[i].message == NULL) {
            assert_null(message);
        } else {
            assert_int_equal(length, strlen(cases[i].message));
            assert_memory_equal(message, cases[i].message, length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_status_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
