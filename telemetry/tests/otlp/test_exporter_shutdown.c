/*
 * Shutdown: what still goes out, what is counted, and that it always ends.
 */
#include "collector.h"

#define SPANS 50

static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};
static const struct step hang[] = {{"", 0, THEN_HANG, false}};
static const struct step busy[] = {
    {TEXT_OF("HTTP/1.1 503 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"), THEN_KEEP, false}};
static const struct step soon[] = {
    {TEXT_OF("HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"), THEN_KEEP, false},
    {TEXT_OF(ANSWER_OK), THEN_KEEP, false}};

struct row {
    const char *what;
    const struct step *script; /* NULL: nobody listens */
    size_t step_count;
    uint32_t deadline_ms;
    uint32_t wait_ms; /* before the shutdown, so that a POST is under way */
    int result;
    uint64_t acknowledged; /* the others: TEL_EXPORT_SHUTDOWN */
};

static const struct row rows[] = {
    {"all goes out", ok, 1, 10000, 0, 0, SPANS},
    {"a retry within the time", soon, 2, 10000, 0, 0, SPANS},
    {"no time at all", hang, 1, 0, 0, -ETIMEDOUT, 0},
    {"it hangs", hang, 1, 200, 0, -ETIMEDOUT, 0},
    {"it hangs, and had begun to", hang, 1, 200, 100, -ETIMEDOUT, 0},
    {"it wants us to wait for longer", busy, 1, 60000, 0, -ETIMEDOUT, 0},
    {"the same, and it has said so before", busy, 1, 60000, 100, -ETIMEDOUT, 0},
    {"nobody listens", NULL, 0, 500, 0, -ETIMEDOUT, 0},
};

static void run_row(const struct row *row)
{
    struct collector collector;
    char url[64];
    struct tel_exporter_stats stats;
    struct tel_tracer_stats spans;
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(1000);
    dead_url(url);
    if (row->script != NULL) {
        collector_start(&collector, row->script, row->step_count);
        memcpy(url, collector.url, sizeof(url));
    }
    struct tel_exporter *exporter =
        tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                           .endpoint = url,
                                                           .timeout_ms = 60000,
                                                           .schedule_delay_ms = 1,
                                                           .export_timeout_ms = 120000,
                                                           .max_batch = 20},
                            tracer, resource);
    assert_non_null(exporter);
    end_spans(tracer, SPANS);
    assert_int_equal(tel_exporter_start(exporter), 0);
    pause_ms(row->wait_ms);
    int result = tel_exporter_shutdown(exporter, row->deadline_ms);
    end_spans(tracer, 1); /* too late */
    tel_exporter_get_stats(exporter, &stats);
    tel_tracer_get_stats(tracer, &spans);
    if (result != row->result || stats.acknowledged != row->acknowledged ||
        stats.failed[TEL_EXPORT_SHUTDOWN] != SPANS - row->acknowledged || stats.inflight != 0) {
        fail_msg("%s: %d, acknowledged %lu, shutdown %lu, in flight %lu", row->what, result,
                 stats.acknowledged, stats.failed[TEL_EXPORT_SHUTDOWN], stats.inflight);
    }
    assert_int_equal(spans.queued, 0);
    assert_int_equal(spans.dropped_shutdown, 1);
    assert_int_equal(spans.ended, stats.acknowledged + stats.failed[TEL_EXPORT_SHUTDOWN] + 1);
    tel_exporter_destroy(exporter);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    if (row->script != NULL) {
        collector_stop(&collector);
        collector_fini(&collector);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i]);
    }
}

/* An exporter that never started, and one that is shut down twice, leave no span without a fate. */
static void test_never_started(void **state)
{
    (void)state;
    struct tel_exporter_stats stats;
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(1000);
    struct tel_exporter *exporter = tel_exporter_create(
        &(struct tel_exporter_options){
            .kind = TEL_EXPORTER_OTLP, .endpoint = "http://127.0.0.1:1/", .max_batch = 10},
        tracer, resource);
    end_spans(tracer, 3);
    assert_int_equal(tel_exporter_shutdown(exporter, 1000), -ETIMEDOUT);
    assert_int_equal(tel_exporter_shutdown(exporter, 1000), -ETIMEDOUT);
    tel_exporter_get_stats(exporter, &stats);
    assert_int_equal(stats.failed[TEL_EXPORT_SHUTDOWN], 3);
    tel_exporter_destroy(exporter);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_never_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
