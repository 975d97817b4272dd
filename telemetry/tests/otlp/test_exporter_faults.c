/*
 * The exporter with a collector that misbehaves. A row is a script and the counters it must lead
 * to; in each row every span has exactly one fate.
 */
#include "collector.h"

#define SPANS 20

#define STATUS(code, extra) \
    TEXT_OF("HTTP/1.1 " code " X\r\n" extra "Content-Length: 0\r\n\r\n"), THEN_KEEP, false
#define AGAIN "Retry-After: 0\r\n"

#define PARTIAL(length, body) \
    TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body), THEN_KEEP, false

/* Why most of them lost spans, so that a row can say it in a word. */
struct row {
    const char *what;
    struct step script[3];
    size_t step_count;
    size_t batch;
    uint64_t acknowledged;
    enum tel_export_error error; /* the one reason of all others */
    uint64_t retries;
    const char *said; /* a part of the first message; NULL: none was said */
};

static const struct row rows[] = {
    {"429 once",
     {{STATUS("429", AGAIN)}, {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     2,
     SPANS,
     SPANS,
     0,
     1,
     NULL},
    {"502, 504, then well",
     {{STATUS("502", AGAIN)}, {STATUS("504", AGAIN)}, {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     3,
     SPANS,
     SPANS,
     0,
     2,
     NULL},
    {"503 without a word of when",
     {{STATUS("503", "")}, {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     2,
     SPANS,
     SPANS,
     0,
     1,
     NULL},
    {"400", {{STATUS("400", "")}}, 1, SPANS, 0, TEL_EXPORT_STATUS, 0, "HTTP status 400"},
    {"500", {{STATUS("500", AGAIN)}}, 1, SPANS, 0, TEL_EXPORT_STATUS, 0, "HTTP status 500"},
    {"302",
     {{STATUS("302", "Location: http://127.0.0.1:1/\r\n")}},
     1,
     SPANS,
     0,
     TEL_EXPORT_STATUS,
     0,
     "HTTP status 302"},
    {"429 for longer than the batch may take",
     {{STATUS("429", "Retry-After: 100\r\n")}},
     1,
     SPANS,
     0,
     TEL_EXPORT_STATUS,
     0,
     "HTTP status 429"},
    {"partial success",
     {{PARTIAL("9", "\x0a\x07\x08\x03\x12\x03why")}},
     1,
     SPANS,
     SPANS - 3,
     TEL_EXPORT_REJECTED,
     0,
     "the collector rejected spans: why"},
    {"more rejected than sent",
     {{PARTIAL("6", "\x0a\x04\x08\xff\xff\x7f")}},
     1,
     SPANS,
     0,
     TEL_EXPORT_REJECTED,
     0,
     "the collector rejected spans"},
    {"a remark, in each of four batches",
     {{PARTIAL("6", "\x0a\x04\x12\x02hm")}},
     1,
     5,
     SPANS,
     0,
     0,
     "the collector remarks: hm"},
    {"a body that is text",
     {{PARTIAL("2", "OK")}},
     1,
     SPANS,
     0,
     TEL_EXPORT_BAD_RESPONSE,
     0,
     "not OTLP"},
    {"no HTTP",
     {{TEXT_OF("SSH-2.0-OpenSSH_9.2\r\n"), THEN_KEEP, false}},
     1,
     SPANS,
     0,
     TEL_EXPORT_BAD_RESPONSE,
     0,
     "not HTTP"},
    {"bytes",
     {{TEXT_OF("\x00\xff\r\n\r\n"), THEN_CLOSE, false}},
     1,
     SPANS,
     0,
     TEL_EXPORT_BAD_RESPONSE,
     0,
     "not HTTP"},
    {"a body over the limit",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n"), THEN_HANG, false}},
     1,
     SPANS,
     0,
     TEL_EXPORT_BAD_RESPONSE,
     0,
     "too large"},
    {"chunks",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x0a\x00\r\n0\r\n\r\n"),
       THEN_KEEP, false}},
     1,
     5,
     SPANS,
     0,
     0,
     NULL},
    {"bad chunks",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), THEN_KEEP, false}},
     1,
     SPANS,
     0,
     TEL_EXPORT_BAD_RESPONSE,
     0,
     "chunks"},
    {"a body that ends with the connection",
     {{TEXT_OF("HTTP/1.1 200 OK\r\n\r\n\x0a\x00"), THEN_CLOSE, false}},
     1,
     5,
     SPANS,
     0,
     0,
     NULL},
    {"Connection: close",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), THEN_CLOSE,
       false}},
     1,
     5,
     SPANS,
     0,
     0,
     NULL},
    {"an answer and a half",
     {{TEXT_OF(ANSWER_OK "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), THEN_KEEP, false}},
     1,
     5,
     SPANS,
     0,
     0,
     NULL},
    {"100 Continue, though nobody asked",
     {{TEXT_OF("HTTP/1.1 100 Continue\r\n\r\n" ANSWER_OK), THEN_KEEP, false}},
     1,
     5,
     SPANS,
     0,
     0,
     NULL},
    {"413 before the body is read",
     {{TEXT_OF("HTTP/1.1 413 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), THEN_KEEP,
       true}},
     1,
     SPANS,
     0,
     TEL_EXPORT_STATUS,
     0,
     "HTTP status 413"},
    {"closed without an answer, once",
     {{"", 0, THEN_CLOSE, false}, {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     2,
     SPANS,
     SPANS,
     0,
     1,
     NULL},
    {"closed in the middle of the head, once",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nContent-Le"), THEN_CLOSE, false},
      {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     2,
     SPANS,
     SPANS,
     0,
     1,
     NULL},
    {"closed in the middle of the body, once",
     {{TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x0a"), THEN_CLOSE, false},
      {TEXT_OF(ANSWER_OK), THEN_KEEP, false}},
     2,
     SPANS,
     SPANS,
     0,
     1,
     NULL},
};

static void run_row(const struct row *row)
{
    struct collector collector;
    struct messages said = {0};
    struct tel_exporter_stats stats;
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(1000);
    collector_start(&collector, row->script, row->step_count);
    struct tel_exporter *exporter =
        tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                           .endpoint = collector.url,
                                                           .timeout_ms = 5000,
                                                           .schedule_delay_ms = 1,
                                                           .export_timeout_ms = 8000,
                                                           .max_batch = row->batch,
                                                           .diagnostic = keep_message,
                                                           .diagnostic_argument = &said},
                            tracer, resource);
    assert_non_null(exporter);
    end_spans(tracer, SPANS); /* before the start, so that batches are as large as they may be */
    assert_int_equal(tel_exporter_start(exporter), 0);
    for (int i = 0; i < 15000; i++) {
        tel_exporter_get_stats(exporter, &stats);
        if (stats.inflight == 0 && queued_spans(tracer) == 0) {
            break;
        }
        pause_ms(1);
    }
    int result = tel_exporter_shutdown(exporter, 0);
    tel_exporter_get_stats(exporter, &stats);
    if (result != 0 || stats.acknowledged != row->acknowledged ||
        stats.failed[row->error] != SPANS - row->acknowledged || stats.retries != row->retries ||
        stats.inflight != 0) {
        fail_msg("%s: %d, acknowledged %lu, %s %lu, retries %lu, in flight %lu", row->what, result,
                 stats.acknowledged, tel_export_error_name(row->error), stats.failed[row->error],
                 stats.retries, stats.inflight);
    }
    if ((said.count == 0) != (row->said == NULL) ||
        (row->said != NULL && strstr(said.first, row->said) == NULL)) {
        fail_msg("%s: %zu messages, `%s`", row->what, said.count, said.first);
    }
    assert_true(said.count <= 2); /* not one a batch */
    tel_exporter_destroy(exporter);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    collector_stop(&collector);
    collector_fini(&collector);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i]);
    }
}

/* A connection that was kept alive, and closed meanwhile, costs no wait: the next one is made at
 * once, and nothing is lost. */
static void test_stale_connection(void **state)
{
    (void)state;
    static const struct step answer_and_leave[] = {{TEXT_OF(ANSWER_OK), THEN_CLOSE, false}};
    const struct row row = {"stale", {answer_and_leave[0]}, 1, 1, SPANS, 0, 0, NULL};
    struct collector collector;
    struct tel_exporter_stats stats;
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(1000);
    collector_start(&collector, row.script, 1);
    struct tel_exporter *exporter = tel_exporter_create(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                       .endpoint = collector.url,
                                       .timeout_ms = 5000,
                                       .schedule_delay_ms = 1,
                                       .export_timeout_ms = 500, /* no backoff */
                                       .max_batch = 1},
        tracer, resource);
    end_spans(tracer, SPANS);
    assert_int_equal(tel_exporter_start(exporter), 0);
    assert_int_equal(tel_exporter_shutdown(exporter, 10000), 0);
    tel_exporter_get_stats(exporter, &stats);
    assert_int_equal(stats.acknowledged, SPANS);
    assert_int_equal(stats.requests, SPANS + stats.retries);
    tel_exporter_destroy(exporter);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    collector_stop(&collector);
    assert_int_equal(collector.connections, SPANS);
    collector_fini(&collector);
}

/* Time over: the reason is that of the last try. */
static void test_time_over(void **state)
{
    (void)state;
    static const struct step hang[] = {{"", 0, THEN_HANG, false}};
    static const struct step busy[] = {{STATUS("503", AGAIN)}};
    static const struct {
        const struct step *script; /* NULL: nobody listens */
        enum tel_export_error error;
        const char *said;
    } cases[] = {
        {hang, TEL_EXPORT_TIMEOUT, "no answer in time"},
        {busy, TEL_EXPORT_STATUS, "HTTP status 503"},
        {NULL, TEL_EXPORT_CONNECTION, "refused"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector collector;
        char url[64];
        struct messages said = {0};
        struct tel_exporter_stats stats;
        struct tel_resource *resource = make_resource();
        struct tel_tracer *tracer = make_tracer(1000);
        dead_url(url);
        if (cases[i].script != NULL) {
            collector_start(&collector, cases[i].script, 1);
            memcpy(url, collector.url, sizeof(url));
        }
        struct tel_exporter *exporter =
            tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                               .endpoint = url,
                                                               .timeout_ms = 100,
                                                               .schedule_delay_ms = 1,
                                                               .export_timeout_ms = 300,
                                                               .max_batch = SPANS,
                                                               .diagnostic = keep_message,
                                                               .diagnostic_argument = &said},
                                tracer, resource);
        end_spans(tracer, SPANS);
        assert_int_equal(tel_exporter_start(exporter), 0);
        do {
            pause_ms(1);
            tel_exporter_get_stats(exporter, &stats);
        } while (stats.failed[cases[i].error] == 0 && stats.requests < 100);
        assert_int_equal(tel_exporter_shutdown(exporter, 0), 0);
        tel_exporter_get_stats(exporter, &stats);
        assert_int_equal(stats.failed[cases[i].error], SPANS);
        assert_non_null(strstr(said.first, cases[i].said));
        assert_non_null(strstr(said.last, "lost until shutdown: 20"));
        tel_exporter_destroy(exporter);
        tel_tracer_destroy(tracer);
        tel_resource_destroy(resource);
        if (cases[i].script != NULL) {
            collector_stop(&collector);
            collector_fini(&collector);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_stale_connection),
        cmocka_unit_test(test_time_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
