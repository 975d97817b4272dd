/* Made in the order of need, freed the other way round. */
#include "tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"

#define NAME           "glassbox-testserver"
#define SHARD_COUNT    2 /* the loop's and the exporter's */
#define EXPORTER_SHARD 1

static char *get_variable(const char *name)
{
    static char none[] = "none";
    char *value = getenv(name);
    bool is_empty = value == NULL || value[0] == '\0';
    return is_empty && strcmp(name, "OTEL_TRACES_EXPORTER") == 0 ? none : value;
}

static int make_resource(struct tracing *tracing)
{
    tracing->config = tel_config_create(get_variable, diagnostics_from_library, NULL);
    tracing->resource = tel_resource_create();
    if (tracing->config == NULL || tracing->resource == NULL) {
        return -ENOMEM;
    }
    int error = tel_config_add_resource(tracing->config, tracing->resource);
    if (error == 0) {
        error = tel_resource_add(tracing->resource, "service.name", NAME);
    }
    return error != 0 ? error : tel_resource_detect(tracing->resource);
}

int tracing_init(struct tracing *tracing)
{
    struct tel_tracer_options tracer = {0};
    struct tel_exporter_options exporter = {0};
    int error = make_resource(tracing);
    if (error != 0) {
        return error;
    }
    tel_config_get_tracer(tracing->config, &tracer);
    tel_config_get_exporter(tracing->config, &exporter);
    tracer.shard_count = SHARD_COUNT;
    tracing->tracer = tel_tracer_create(&tracer);
    if (tracing->tracer == NULL) {
        return -errno;
    }
    if (tracer.queue_size == 0) {
        return 0;
    }
    exporter.shard = EXPORTER_SHARD;
    exporter.scope_name = NAME;
    exporter.diagnostic = diagnostics_from_library;
    tracing->exporter = tel_exporter_create(&exporter, tracing->tracer, tracing->resource);
    return tracing->exporter != NULL ? tel_exporter_start(tracing->exporter) : -errno;
}

void tracing_fini(struct tracing *tracing, uint32_t flush_ms)
{
    if (tracing->exporter != NULL) {
        tel_exporter_shutdown(tracing->exporter, flush_ms);
    }
    tel_exporter_destroy(tracing->exporter);
    tel_tracer_destroy(tracing->tracer);
    tel_resource_destroy(tracing->resource);
    tel_config_destroy(tracing->config);
}
