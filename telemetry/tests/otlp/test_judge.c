/*
 * What an outcome means for the spans that were sent. The table is the behaviour.
 */
#include "otlp/sender.h"

#include "support.h"

#define ALL UINT64_MAX

static void test_transport(void **state)
{
    (void)state;
    static const struct {
        enum tel__outcome_kind kind;
        bool retry;
        bool at_once;
        enum tel_export_error error;
    } cases[] = {
        {TEL__OUTCOME_NO_CONNECTION, true, false, TEL_EXPORT_CONNECTION},
        {TEL__OUTCOME_STALE, true, true, TEL_EXPORT_CONNECTION},
        {TEL__OUTCOME_DISCONNECTED, true, false, TEL_EXPORT_CONNECTION},
        {TEL__OUTCOME_TIMEOUT, true, false, TEL_EXPORT_TIMEOUT},
        {TEL__OUTCOME_MALFORMED, false, false, TEL_EXPORT_BAD_RESPONSE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__outcome outcome = {.kind = cases[i].kind, .reason = "because"};
        struct tel__verdict verdict;
        tel__sender_judge("spans", &outcome, &(struct tel__bytes){0}, 0, &verdict);
        assert_int_equal(verdict.retry, cases[i].retry);
        assert_int_equal(verdict.at_once, cases[i].at_once);
        assert_int_equal(verdict.error, cases[i].error);
        assert_true(verdict.lost == ALL);
        assert_false(verdict.has_retry_after);
        assert_string_equal(verdict.reason, "because");
        assert_int_equal(verdict.status, 0); /* no answer */
    }
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        size_t length;
        bool retry;
        enum tel_export_error error; /* looked at when something is lost */
        uint64_t lost;
        const char *reason;
    } cases[] = {
        {200, TEXT_OF(""), false, TEL_EXPORT_REJECTED, 0, ""},
        {202, TEXT_OF(""), false, TEL_EXPORT_REJECTED, 0, ""},
        {204, TEXT_OF(""), false, TEL_EXPORT_REJECTED, 0, ""},
        {200, TEXT_OF("\x0a\x02\x08\x03"), false, TEL_EXPORT_REJECTED, 3,
         "the collector rejected spans"},
        {200, TEXT_OF("\x0a\x07\x08\x03\x12\x03why"), false, TEL_EXPORT_REJECTED, 3,
         "the collector rejected spans: why"},
        {200, TEXT_OF("\x0a\x04\x12\x02hm"), false, TEL_EXPORT_REJECTED, 0,
         "the collector remarks: hm"},
        {200, TEXT_OF("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false,
         TEL_EXPORT_REJECTED, 0, ""}, /* -1 is nobody */
        {200, TEXT_OF("OK"), false, TEL_EXPORT_BAD_RESPONSE, ALL, "the answer's body is not OTLP"},
        {200, TEXT_OF("{}"), false, TEL_EXPORT_BAD_RESPONSE, ALL, "the answer's body is not OTLP"},
        {301, TEXT_OF(""), false, TEL_EXPORT_STATUS, ALL, "HTTP status 301"},
        {400,
         TEXT_OF("\x08\x03\x12\x03"
                 "bad"),
         false, TEL_EXPORT_STATUS, ALL, "HTTP status 400: bad"},
        {404, TEXT_OF("not found"), false, TEL_EXPORT_STATUS, ALL, "HTTP status 404"},
        {413, TEXT_OF(""), false, TEL_EXPORT_STATUS, ALL, "HTTP status 413"},
        {429, TEXT_OF(""), true, TEL_EXPORT_STATUS, ALL, "HTTP status 429"},
        {500, TEXT_OF(""), false, TEL_EXPORT_STATUS, ALL, "HTTP status 500"},
        {502, TEXT_OF(""), true, TEL_EXPORT_STATUS, ALL, "HTTP status 502"},
        {503, TEXT_OF("<html>"), true, TEL_EXPORT_STATUS, ALL, "HTTP status 503"},
        {504, TEXT_OF(""), true, TEL_EXPORT_STATUS, ALL, "HTTP status 504"},
        {103, TEXT_OF(""), false, TEL_EXPORT_STATUS, ALL, "HTTP status 103"},
        {-1, TEXT_OF(""), false, TEL_EXPORT_STATUS, ALL, "HTTP status -1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__outcome outcome = {.kind = TEL__OUTCOME_ANSWER, .status = cases[i].status};
        struct tel__bytes body = {cases[i].body, cases[i].length};
        struct tel__verdict verdict;
        tel__sender_judge("spans", &outcome, &body, 0, &verdict);
        assert_int_equal(verdict.status, cases[i].status > 0 ? cases[i].status : 0);
        assert_int_equal(verdict.retry, cases[i].retry);
        assert_true(verdict.lost == cases[i].lost);
        if (verdict.lost > 0) {
            assert_int_equal(verdict.error, cases[i].error);
        }
        assert_string_equal(verdict.reason, cases[i].reason);
        assert_false(verdict.at_once);
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *value;
        bool has;
        uint32_t delay_ms;
    } cases[] = {
        {429, "7", true, 7000}, {503, "Thu, 01 Jan 1970 00:00:12 GMT", true, 2000},
        {503, "", false, 0},    {503, "later", false, 0},
        {400, "7", false, 0}, /* it will not be tried again */
        {200, "7", false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__outcome outcome = {.kind = TEL__OUTCOME_ANSWER, .status = cases[i].status};
        struct tel__verdict verdict;
        strcpy(outcome.retry_after, cases[i].value);
        tel__sender_judge("spans", &outcome, &(struct tel__bytes){0}, 10, &verdict);
        assert_int_equal(verdict.has_retry_after, cases[i].has);
        if (cases[i].has) {
            assert_int_equal(verdict.retry_after_ms, cases[i].delay_ms);
        }
    }
}

/* A collector may talk at length; we quote only its beginning. */
static void test_long_message(void **state)
{
    (void)state;
    static char body[4 + 10000];
    struct tel__verdict verdict;
    uint8_t *at = tel__wire_put_length((uint8_t *)body, 2, 10000);
    memset(at, 'x', 10000);
    tel__sender_judge("spans", &(struct tel__outcome){.kind = TEL__OUTCOME_ANSWER, .status = 400},
                      &(struct tel__bytes){body, (size_t)(at - (uint8_t *)body) + 10000}, 0,
                      &verdict);
    assert_int_equal(strlen(verdict.reason), sizeof(verdict.reason) - 1);
    assert_int_equal(strncmp(verdict.reason, "HTTP status 400: xxx", 20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
