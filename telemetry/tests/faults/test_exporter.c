/*
 * Whole exports with each thing the exporter's thread asks for refused in turn: every span has one
 * fate, whatever becomes of it, and the thread ends when it is told to.
 */
#include "../otlp/collector.h"
#include "faults.h"

#define SPANS       5
#define DEADLINE_MS 500 /* of the flush: who failed at the first try has no time for a second one */

static const struct step script[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};

/* One exporter's life; how many spans were acknowledged. */
static size_t export(const char *url, enum tel_compression compression)
{
    struct tel_exporter_stats stats;
    struct tel_tracer_stats spans;
    faults_stop();
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(100);
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_exporter *exporter =
        tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                           .endpoint = url,
                                                           .compression = compression,
                                                           .timeout_ms = 100,
                                                           .schedule_delay_ms = 1,
                                                           .export_timeout_ms = 1000,
                                                           .max_batch = 3},
                            tracer, resource);
    assert_non_null(exporter);
    assert_int_equal(tel_exporter_register(exporter, tracer, registry), 0);
    assert_int_equal(tel_exporter_start(exporter), 0);
    faults_resume();
    end_spans(tracer, SPANS);
    int result = tel_exporter_shutdown(exporter, DEADLINE_MS);
    faults_stop();

    tel_exporter_get_stats(exporter, &stats);
    tel_tracer_get_stats(tracer, &spans);
    uint64_t failed = 0;
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        failed += stats.failed[i];
    }
    assert_int_equal(spans.ended, SPANS);
    assert_int_equal(spans.queued, 0);
    assert_int_equal(stats.inflight, 0);
    assert_int_equal(stats.acknowledged + failed, SPANS);
    assert_int_equal(result, stats.failed[TEL_EXPORT_SHUTDOWN] > 0 ? -ETIMEDOUT : 0);
    tel_exporter_destroy(exporter);
    tel_registry_destroy(registry);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    return stats.acknowledged;
}

static void run(enum tel_compression compression, bool lasting)
{
    struct faults faults = {.kinds = FAULTS_OURS | FAULTS_LIBEVENT, .lasting = lasting};
    struct collector collector;
    faults_spare_thread(true);
    collector_start(&collector, script, 1);
    faults_spare_thread(false);
    while (faults_next(&faults)) {
        size_t before = collector.spans;
        size_t acknowledged = export(collector.url, compression);
        assert_true(compression != TEL_COMPRESSION_NONE ||
                    acknowledged <= collector.spans - before);
    }
    assert_true(faults.turns > 30);
    collector_stop(&collector);
    collector_fini(&collector);
}

static void test_one_refusal(void **state)
{
    (void)state;
    run(TEL_COMPRESSION_NONE, false);
    run(TEL_COMPRESSION_GZIP, false);
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    run(TEL_COMPRESSION_NONE, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
