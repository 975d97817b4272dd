/*
 * Everything the library makes, with each resource on the way refused in turn: what cannot be made
 * is NULL, or a negative errno, with a reason that fits; nothing is left behind; and the same call
 * works as soon as there is enough again.
 *
 * To add a creator: a function, a row.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults.h"
#include "otlp/headers.h"
#include "telemetry/gzip.h"
#include "telemetry/telemetry.h"

#define OPENSSL_STRIDE 211 /* calls, of some ten thousand */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct tel_resource *resource;
static struct tel_tracer *tracer;

/* A certificate, which is its own authority, and its key. */
static char pem_file[] = "/tmp/test_creators.pem.XXXXXX";

/* What was said through diagnostics in this turn. */
static char said[512];

static void hear(enum tel_severity severity, const char *component, const char *message,
                 void *argument)
{
    (void)severity;
    (void)argument;
    snprintf(said, sizeof(said), "%s: %s", component, message);
}

/* ---- creators: 0 when they made it and took it down again, else a negative errno ----------- */

static int make_registry(void)
{
    static const char *const labels[] = {"code"};
    static const uint64_t bounds[] = {1000000, 1000000000};
    const struct tel_family_options families[] = {
        {.name = "c_total", .type = TEL_COUNTER, .label_names = labels, .label_count = 1},
        {.name = "g", .type = TEL_GAUGE},
        {.name = "w_seconds", .type = TEL_HISTOGRAM, .bounds_ns = bounds, .bound_count = 2}};
    struct tel_registry *registry = tel_registry_create(3);
    int error = registry != NULL ? 0 : -errno;
    for (size_t i = 0; i < COUNT(families) && error == 0; i++) {
        error = tel_family_create(registry, &families[i]) != NULL ? 0 : -errno;
    }
    tel_registry_destroy(registry);
    return error;
}

static int make_tracer(void)
{
    struct tel_tracer *made =
        tel_tracer_create(&(struct tel_tracer_options){.shard_count = 3, .queue_size = 100});
    int error = made != NULL ? 0 : -errno;
    tel_tracer_destroy(made);
    return error;
}

static int make_resource(void)
{
    struct tel_resource *made = tel_resource_create();
    int error = made != NULL ? 0 : -errno;
    if (error == 0) {
        error = tel_resource_add_list(made, "service.name=shop,team=%C3%A4%20b,zone=1");
    }
    if (error != 0 && made != NULL) {
        assert_int_equal(tel_resource_count(made), 0); /* all of a list, or nothing */
    }
    if (error == 0) {
        error = tel_resource_add(made, "service.version", "1");
    }
    if (error == 0) {
        error = tel_resource_detect(made);
    }
    tel_resource_destroy(made);
    return error;
}

static char *get_variable(const char *name)
{
    static const char *const variables[][2] = {
        {"OTEL_SERVICE_NAME", "shop"},
        {"OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:word@collector.test:4318/base/"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "x-token=abc,other=1"},
        {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"},
        {"OTEL_PROPAGATORS", "tracecontext,baggage"},
        {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
        {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "1000"},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2000"},
    };
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (strcmp(variables[i][0], name) == 0) {
            return (char *)variables[i][1];
        }
    }
    return NULL;
}

static int make_config(void)
{
    struct tel_config *config = tel_config_create(get_variable, hear, NULL);
    int error = config != NULL ? 0 : -errno;
    struct tel_resource *own = tel_resource_create();
    if (error == 0) {
        error = own != NULL ? tel_config_add_resource(config, own) : -errno;
    }
    tel_resource_destroy(own);
    tel_config_destroy(config);
    return error;
}

static int make_headers(void)
{
    struct tel__headers headers;
    const char *reason;
    int error = tel__headers_parse("authorization=Basic%20abc,x-a=1", &headers, &reason);
    if (error == 0) {
        assert_string_equal(tel__headers_get(&headers, "authorization"), "Basic abc");
    }
    tel__headers_fini(&headers);
    return error;
}

static int make_exporter(const struct tel_exporter_options *options)
{
    struct tel_exporter *exporter = tel_exporter_create(options, tracer, resource);
    int error = exporter != NULL ? 0 : -errno;
    struct tel_registry *registry = NULL;
    if (error == 0) {
        registry = tel_registry_create(1);
        error = registry != NULL ? tel_exporter_register(exporter, tracer, registry) : -errno;
    }
    if (error == 0) {
        error = tel_exporter_start(exporter);
    }
    tel_exporter_destroy(exporter);
    tel_registry_destroy(registry);
    return error;
}

static int make_otlp(void)
{
    return make_exporter(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                       .endpoint = "http://user:word@127.0.0.1:9/v1/traces",
                                       .headers = "x-token=abc",
                                       .max_batch = 10,
                                       .diagnostic = hear});
}

static int make_otlp_tls(void)
{
    return make_exporter(&(struct tel_exporter_options){
        .kind = TEL_EXPORTER_OTLP,
        .endpoint = "https://localhost:9/v1/traces",
        .max_batch = 10,
        .certificate_file = pem_file,
        .client_certificate_file = pem_file,
        .client_key_file = pem_file,
        .diagnostic = hear,
    });
}

static int make_console(void)
{
    return make_exporter(&(struct tel_exporter_options){
        .kind = TEL_EXPORTER_CONSOLE, .max_batch = 10, .diagnostic = hear});
}

static int make_log(const char *path)
{
    struct tel_access_log *log =
        tel_access_log_create(&(struct tel_access_log_options){.path = path,
                                                               .software = "test/1.0",
                                                               .shard_count = 3,
                                                               .queue_bytes = 65536,
                                                               .diagnostic = hear});
    int error = log != NULL ? 0 : -errno;
    tel_access_log_destroy(log);
    return error;
}

static int make_log_file(void)
{
    char path[] = "/tmp/test_creators.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "not a log\n", 10), 10); /* it has to be judged and set aside */
    close(fd);
    int error = make_log(path);
    unlink(path);
    return error;
}

static int make_log_stream(void)
{
    return make_log("-");
}

static int make_process_metrics(void)
{
    struct tel_registry *registry = tel_registry_create(1);
    int error = registry != NULL ? tel_process_register(registry) : -errno;
    tel_registry_destroy(registry);
    return error;
}

static int make_target_info(void)
{
    struct tel_registry *registry = tel_registry_create(1);
    int error = registry != NULL ? tel_resource_register(resource, registry) : -errno;
    tel_registry_destroy(registry);
    return error;
}

static int make_packed(void)
{
    const struct iovec pieces[] = {{"one, ", 5}, {"two", 3}};
    struct tel_buffer out;
    tel_buffer_init(&out, 1000000);
    int error = tel_gzip(pieces, 2, &out);
    tel_buffer_fini(&out);
    return error;
}

/* At the very ceiling a formatted text goes the long way round. */
static int make_text(void)
{
    struct tel_buffer out;
    tel_buffer_init(&out, 8);
    tel_buffer_append_format(&out, "%s-%d", "abcde", 12);
    int error = out.error;
    if (error == 0) {
        assert_int_equal(out.length, 8);
        assert_memory_equal(out.data, "abcde-12", 8);
    }
    tel_buffer_fini(&out);
    return error;
}

/* ---- the table ----------------------------------------------------------------------------- */

struct row {
    const char *what;
    int (*make)(void);
    unsigned long least; /* things it asks for, so that a row cannot become empty unnoticed */
    bool has_a_way_out;  /* a pipe is opened again where that is possible, and used as it is else */
};

static const struct row rows[] = {
    {"a registry with families", make_registry, 10, false},
    {"process metrics", make_process_metrics, 10, false},
    {"target_info", make_target_info, 5, false},
    {"a tracer", make_tracer, 5, false},
    {"a resource", make_resource, 30, false},
    {"the configuration", make_config, 30, false},
    {"headers", make_headers, 1, false},
    {"an OTLP exporter", make_otlp, 30, false},
    {"an OTLP exporter over TLS", make_otlp_tls, 30, false},
    {"a console exporter", make_console, 5, true},
    {"a log on a file", make_log_file, 10, false},
    {"a log on stdout", make_log_stream, 10, true},
    {"compressed bytes", make_packed, 2, false},
    {"formatted text", make_text, 1, false},
};

/* What OpenSSL could not load for want of memory is a file it could not load. */
static bool is_scarcity(int error)
{
    return error == -ENOMEM || error == -EMFILE || error == -EAGAIN ||
           (error == -EINVAL && strstr(said, "TLS for") != NULL);
}

/* `strict`: whatever is refused must be told. */
static unsigned long run_row(const struct row *row, unsigned kinds, bool lasting, bool strict)
{
    struct faults faults = {.kinds = kinds, .lasting = lasting};
    while (faults_next(&faults)) {
        said[0] = '\0';
        int error = row->make();
        faults_stop();
        bool fine =
            error == 0 ? !faults_struck() || !strict : faults_struck() && is_scarcity(error);
        if (!fine) {
            fail_msg("%s, call %lu at %p: %s (%s)", row->what, faults.turns, faults_where(),
                     strerror(-error), said);
        }
    }
    return faults.turns - 1;
}

static void test_one_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned long calls = run_row(&rows[i], FAULTS_OURS, false, !rows[i].has_a_way_out);
        if (calls < rows[i].least) {
            fail_msg("%s asks for %lu things only", rows[i].what, calls);
        }
    }
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i], FAULTS_OURS, true, !rows[i].has_a_way_out);
    }
}

/* libevent can do without some of what it asks for: it takes poll(2) when epoll(7) cannot be had. */
static void test_libevent_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i], FAULTS_LIBEVENT, false, false);
        run_row(&rows[i], FAULTS_LIBEVENT, true, false);
    }
}

/* So can OpenSSL, which asks for thousands of things. */
static void test_openssl_is_refused(void **state)
{
    (void)state;
    struct faults faults = {.kinds = FAULTS_OPENSSL, .stride = OPENSSL_STRIDE};
    assert_int_equal(make_otlp_tls(), 0); /* what it makes once and keeps */
    while (faults_next(&faults)) {
        int error = make_otlp_tls();
        faults_stop();
        assert_true(error == 0 || (faults_struck() && is_scarcity(error)));
    }
    assert_true(faults.turns > 1000);
}

static void make_pem(void)
{
    FILE *file = fdopen(mkstemp(pem_file), "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static int make_surroundings(void **state)
{
    (void)state;
    make_pem();
    resource = tel_resource_create();
    tracer = tel_tracer_create(&(struct tel_tracer_options){.shard_count = 1, .queue_size = 10});
    assert_non_null(resource);
    assert_non_null(tracer);
    assert_int_equal(tel_resource_add_list(resource, "service.name=shop,a.b=1,a_b=2"), 0);
    return 0;
}

static int free_surroundings(void **state)
{
    (void)state;
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    return unlink(pem_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
        cmocka_unit_test(test_libevent_is_refused),
        cmocka_unit_test(test_openssl_is_refused),
    };
    return cmocka_run_group_tests(tests, make_surroundings, free_surroundings);
}
