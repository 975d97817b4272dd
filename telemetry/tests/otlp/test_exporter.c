/*
 * The exporter with a collector that behaves: what is sent, when, and how it is counted.
 */
#include "collector.h"

static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};

struct bench {
    struct collector collector;
    struct tel_tracer *tracer;
    struct tel_resource *resource;
    struct tel_exporter *exporter;
    struct messages said;
};

static struct tel_exporter_options options_for(struct bench *bench)
{
    return (struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                         .endpoint = bench->collector.url,
                                         .timeout_ms = 5000,
                                         .schedule_delay_ms = 20,
                                         .export_timeout_ms = 10000,
                                         .max_batch = 100,
                                         .scope_name = "test",
                                         .diagnostic = keep_message,
                                         .diagnostic_argument = &bench->said};
}

static void start(struct bench *bench, const struct tel_exporter_options *options)
{
    bench->exporter = tel_exporter_create(options, bench->tracer, bench->resource);
    assert_non_null(bench->exporter);
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    collector_start(&bench->collector, ok, COUNT(ok));
    bench->tracer = make_tracer(10000);
    bench->resource = make_resource();
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    tel_exporter_destroy(bench->exporter);
    tel_tracer_destroy(bench->tracer);
    tel_resource_destroy(bench->resource);
    collector_stop(&bench->collector);
    collector_fini(&bench->collector);
    free(bench);
    return 0;
}

static struct tel_exporter_stats stats_of(const struct bench *bench)
{
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(bench->exporter, &stats);
    return stats;
}

static void wait_for_acknowledged(const struct bench *bench, uint64_t spans)
{
    for (int i = 0; i < 10000 && stats_of(bench).acknowledged < spans; i++) {
        pause_ms(1);
    }
    assert_int_equal(stats_of(bench).acknowledged, spans);
}

/* ---- batches ------------------------------------------------------------------------------- */

/* Few spans go when the delay has passed, without anybody asking. */
static void test_delay(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    start(bench, &options);
    end_spans(bench->tracer, 3);
    wait_for_acknowledged(bench, 3);
    end_spans(bench->tracer, 1);
    wait_for_acknowledged(bench, 4);
    assert_int_equal(bench->collector.requests, 2);
    assert_int_equal(bench->collector.connections, 1); /* kept alive */
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 1000), 0);
}

/* A full batch goes long before a delay of an hour, and what is left goes with the flush. */
static void test_full_batch(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    options.schedule_delay_ms = 3600 * 1000;
    start(bench, &options);
    end_spans(bench->tracer, 99);
    pause_ms(50);
    assert_int_equal(bench->collector.requests, 0);
    end_spans(bench->tracer, 1);
    wait_for_acknowledged(bench, 100);
    end_spans(bench->tracer, 250);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(stats_of(bench).acknowledged, 350);
    assert_true(bench->collector.requests >= 4);
    assert_int_equal(bench->collector.spans, 350);
}

/* A batch larger than the queue can never be full: three quarters of a queue must do. */
static void test_batch_larger_than_queue(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    tel_tracer_destroy(bench->tracer);
    bench->tracer = make_tracer(40);
    options.schedule_delay_ms = 3600 * 1000;
    start(bench, &options);
    end_spans(bench->tracer, 30);
    wait_for_acknowledged(bench, 30);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 1000), 0);
}

/* ---- what is sent -------------------------------------------------------------------------- */

static void assert_header(const struct bench *bench, const char *line)
{
    const char *found = strcasestr(bench->collector.last, line);
    if (found == NULL || found > bench->collector.last + bench->collector.last_head) {
        fail_msg("no %s in %s", line, bench->collector.last);
    }
}

static void export_one(struct bench *bench, const struct tel_exporter_options *options)
{
    start(bench, options);
    end_spans(bench->tracer, 1);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(stats_of(bench).acknowledged, 1);
    collector_stop(&bench->collector); /* so that its last request can be read */
}

static void test_request_head(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    char url[128];
    snprintf(url, sizeof(url), "http://me:secret@%s?token=x", bench->collector.url + 7);
    options.endpoint = url;
    options.headers = "X-Tenant=a%20b, api-key = k";
    export_one(bench, &options);
    assert_int_equal(strncmp(bench->collector.last, "POST /v1/traces?token=x HTTP/1.1\r\n", 34), 0);
    assert_header(bench, "\r\nHost: 127.0.0.1:");
    assert_header(bench, "\r\nContent-Type: application/x-protobuf\r\n");
    assert_header(bench, "\r\nUser-Agent: OTel-OTLP-Exporter-C/");
    assert_header(bench, "\r\nX-Tenant: a b\r\n");
    assert_header(bench, "\r\napi-key: k\r\n");
    assert_header(bench, "\r\nAuthorization: Basic bWU6c2VjcmV0\r\n");
    assert_null(strcasestr(bench->collector.last, "Content-Encoding"));
}

/* What the operator says of who we are, he says once. */
static void test_own_headers_win(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    char url[128];
    snprintf(url, sizeof(url), "http://me:secret@%s", bench->collector.url + 7);
    options.endpoint = url;
    options.headers = "user-agent=mine,authorization=Bearer%20t";
    export_one(bench, &options);
    assert_header(bench, "\r\nuser-agent: mine\r\n");
    assert_header(bench, "\r\nauthorization: Bearer t\r\n");
    assert_null(strstr(bench->collector.last, "OTel-OTLP"));
    assert_null(strstr(bench->collector.last, "Basic"));
}

static void test_gzip(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    options.compression = TEL_COMPRESSION_GZIP;
    export_one(bench, &options);
    assert_header(bench, "\r\nContent-Encoding: gzip\r\n");
    assert_memory_equal(bench->collector.last + bench->collector.last_head, "\x1f\x8b", 2);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void test_refused_options(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *endpoint;
        const char *headers;
        const char *certificate;
        size_t max_batch;
        const char *message; /* a part of it; NULL: none */
    } cases[] = {
        {"ftp://x", NULL, NULL, 1, "endpoint"},
        {NULL, NULL, NULL, 1, "endpoint"},
        {"http://x:secret", NULL, NULL, 1, "port"},
        {"http://x", "secret", NULL, 1, "headers"},
        {"http://x", NULL, NULL, 0, NULL},
        {"https://x", NULL, "/nonexistent.pem", 1, "/nonexistent.pem"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_exporter_options options = options_for(bench);
        options.endpoint = cases[i].endpoint;
        options.headers = cases[i].headers;
        options.certificate_file = cases[i].certificate;
        options.max_batch = cases[i].max_batch;
        bench->said = (struct messages){0};
        errno = 0;
        assert_null(tel_exporter_create(&options, bench->tracer, bench->resource));
        assert_int_equal(errno, EINVAL);
        assert_int_equal(bench->said.count, cases[i].message != NULL);
        if (cases[i].message != NULL) {
            assert_non_null(strstr(bench->said.last, cases[i].message));
        }
        assert_null(strstr(bench->said.last, "secret"));
    }
}

static void test_none(void **state)
{
    struct bench *bench = *state;
    start(bench, &(struct tel_exporter_options){.kind = TEL_EXPORTER_NONE});
    assert_int_equal(stats_of(bench).acknowledged, 0);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 1000), 0);
}

static void test_start_twice(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    start(bench, &options);
    assert_int_equal(tel_exporter_start(bench->exporter), -EALREADY);
    tel_exporter_destroy(NULL);
    /* and the teardown destroys it running */
}

static void test_error_names(void **state)
{
    (void)state;
    static const char *const names[] = {"rejected",     "timeout",   "connection", "status",
                                        "bad_response", "too_large", "shutdown"};
    assert_int_equal(COUNT(names), TEL_EXPORT_ERRORS);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(tel_export_error_name((enum tel_export_error)i), names[i]);
    }
    assert_string_equal(tel_export_error_name(TEL_EXPORT_ERRORS), "unknown");
}

/* ---- accounting ---------------------------------------------------------------------------- */

struct watch {
    struct bench *bench;
    atomic_bool stop;
    _Atomic uint64_t wrong;
};

/* Reads the terms all the time while spans flow: none may be more than there are. */
static void *watch_terms(void *argument)
{
    struct watch *watch = argument;
    uint64_t before = 0;
    while (!watch->stop) {
        struct tel_exporter_stats stats = stats_of(watch->bench);
        uint64_t known = stats.acknowledged;
        for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
            known += stats.failed[i];
        }
        watch->wrong += stats.inflight > 1000 || known < before; /* underflow, or going back */
        before = known;
    }
    return NULL;
}

static void test_terms_at_any_moment(void **state)
{
    struct bench *bench = *state;
    struct tel_exporter_options options = options_for(bench);
    struct watch watch = {.bench = bench};
    pthread_t thread;
    options.schedule_delay_ms = 1;
    options.max_batch = 7;
    start(bench, &options);
    assert_int_equal(pthread_create(&thread, NULL, watch_terms, &watch), 0);
    for (int i = 0; i < 100; i++) {
        end_spans(bench->tracer, 10);
        pause_ms(1);
    }
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 10000), 0);
    watch.stop = true;
    pthread_join(thread, NULL);
    assert_int_equal(watch.wrong, 0);
    assert_int_equal(stats_of(bench).acknowledged, 1000);
    assert_int_equal(stats_of(bench).inflight, 0);
    assert_int_equal(stats_of(bench).requests, bench->collector.requests);
    assert_int_equal(bench->collector.spans, 1000);
    assert_int_equal(bench->said.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch_larger_than_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_headers_win, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gzip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_twice, setup, teardown),
        cmocka_unit_test(test_error_names),
        cmocka_unit_test_setup_teardown(test_terms_at_any_moment, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
