/*
 * What does not change while the process lives, told once to each viewer.
 */
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "exchange.h"
#include "faults/incidents.h"
#include "faults/plan.h"
#include "instruments.h"
#include "options.h"
#include "page/internal.h"
#include "page/writer.h"
#include "service.h"

static void append_bounds(struct writer *json)
{
    size_t count;
    const uint64_t *bounds_ns = instruments_duration_bounds_ns(&count);
    writer_open(json, "bounds", '[');
    for (size_t i = 0; i < count; i++) {
        writer_double(json, NULL, (double)bounds_ns[i] / TEL_NS_PER_SECOND);
    }
    writer_close(json, ']');
}

static void append_routes(struct writer *json)
{
    const struct route *routes = router_table();
    writer_open(json, "routes", '[');
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        if (routes[id].user) {
            writer_string(json, NULL, routes[id].path);
        }
    }
    writer_close(json, ']');
}

/* The names as a line has its values: separated by tabs. */
static void append_log_fields(struct writer *json, const struct tel_access_log *log)
{
    struct tel_buffer names;
    tel_buffer_init(&names, PAGE_LINE_BYTES);
    for (size_t i = 0; log != NULL && tel_access_log_field(log, i) != NULL; i++) {
        tel_buffer_append_string(&names, i > 0 ? "\t" : "");
        tel_buffer_append_string(&names, tel_access_log_field(log, i));
    }
    writer_text(json, "log_fields", names.data, names.length);
    tel_buffer_fini(&names);
}

static void append_incidents(struct writer *json)
{
    writer_open(json, "incidents", '[');
    for (size_t i = 0; fault_incident_name(i) != NULL; i++) {
        writer_string(json, NULL, fault_incident_name(i));
    }
    writer_close(json, ']');
}

static void append_kinds(struct writer *json)
{
    static const char *const helps[] = {
#define FAULT(ID, name, scope, help) [FAULT_##ID] = help,
#include "faults/kinds.def"
#undef FAULT
    };
    writer_open(json, "kinds", '[');
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const enum fault_scope scope = fault_kind_scope((enum fault_kind)kind);
        writer_open(json, NULL, '{');
        writer_string(json, "fault", fault_kind_name((enum fault_kind)kind));
        writer_string(json, "scope", scope == FAULT_SCOPE_ROUTE ? "route" : "process");
        writer_string(json, "help", helps[kind]);
        writer_close(json, '}');
    }
    writer_close(json, ']');
}

/* Whether faults can be set from here. */
static bool has_fault_api(const struct service *service)
{
    return service->options->fault_token_file[0] != '\0';
}

void hello_compose(const struct page *page, const struct exchange *exchange, struct tel_buffer *out)
{
    const struct service *service = page->service;
    const struct http_slice host = exchange->http->request.authority;
    struct writer json = writer_of(out);
    tel_buffer_clear(out);
    tel_buffer_append_string(out, "event: hello\ndata: ");
    writer_open(&json, NULL, '{');
    writer_string(&json, "version", build_info.version);
    writer_string(&json, "revision", build_info.revision);
    writer_u64(&json, "pid", (uint64_t)getpid());
    writer_text(&json, "instance", host.data != NULL ? host.data : "", host.length);
    writer_ms(&json, "started_ms", page->started_wall_ns);
    writer_u64(&json, "workers", service->worker_count);
    append_bounds(&json);
    append_routes(&json);
    writer_bool(&json, "burst", (exchange->site->side & SIDE_PUBLIC) != 0);
    writer_bool(&json, "fault_api", has_fault_api(service));
    append_log_fields(&json, service->access_log);
    writer_string(&json, "log_separator",
                  service->options->access_log_format == OPTION_FORMAT_IIS ? " " : "\t");
    writer_bool(&json, "tracing", service->exporter != NULL);
    append_incidents(&json);
    append_kinds(&json);
    writer_close(&json, '}');
    tel_buffer_append_string(out, "\n\n");
}
