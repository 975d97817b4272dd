/*
 * What the tests of this folder share: an evhttp server on loopback with telemetry that goes nowhere
 * (spans stay in their queue, lines in a file), a client of plain sockets in the same thread, and
 * what the three signals said of a request, as text.
 */
#ifndef TEL_TESTS_EVHTTP_SUPPORT_H
#define TEL_TESTS_EVHTTP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../trace/queued.h"
#include "telemetry/telemetry.h"

#define UNUSED      __attribute__((unused))
#define TEXT_MAX    65536
#define ROUNDS_MAX  10000 /* of a loop that waits, a millisecond each */
#define TRACE_ID    "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "traceparent: 00-" TRACE_ID "-b7ad6b7169203331-01\r\n"

static const char log_fields[] = "cs-method cs-uri-stem cs-uri-query cs-version cs-host sc-status "
                                 "sc-bytes cs-bytes x-route x-error x-trace-id c-ip "
                                 "cs(User-Agent) sc(Content-Type)";

struct bench {
    struct event_base *base;
    struct evhttp *http;
    struct tel_signals *signals;
    struct tel_evhttp *server;
    uint16_t port;
    char log[64];
    struct evhttp_request *kept; /* of a callback that answers later */
    int ended;                   /* calls of the end callback */
};

/* ---- a server ------------------------------------------------------------------------------ */

UNUSED static bool wants_records; /* log records are exported too */

/* Spans have somewhere to go, but nobody starts the exporters. */
static inline char *get_variable(const char *name)
{
    static char endpoint[] = "http://127.0.0.1:1";
    static char otlp[] = "otlp";
    if (wants_records && strcmp(name, "OTEL_LOGS_EXPORTER") == 0) {
        return otlp;
    }
    return strcmp(name, "OTEL_EXPORTER_OTLP_ENDPOINT") == 0 ? endpoint : NULL;
}

static inline void greet(struct evhttp_request *request, void *argument)
{
    (void)argument;
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, "hello\n", 6);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain");
    evhttp_send_reply(request, HTTP_OK, NULL, body);
    evbuffer_free(body);
}

static inline uint16_t bind_loopback(struct evhttp *http, const char *host)
{
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, host, 0);
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    assert_non_null(bound);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &length);
    return ntohs(((struct sockaddr_in *)&address)->sin_port); /* where IPv6 has it too */
}

UNUSED static int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    signal(SIGPIPE, SIG_IGN);
    snprintf(bench->log, sizeof(bench->log), "/tmp/evhttp-log-XXXXXX");
    close(mkstemp(bench->log));
    bench->base = event_base_new();
    bench->http = evhttp_new(bench->base);
    bench->signals = tel_signals_create(
        &(struct tel_signals_options){.service_name = "shop",
                                      .shard_count = 2,
                                      .access_log = {.path = bench->log, .fields = log_fields},
                                      .get = get_variable});
    assert_non_null(bench->signals);
    bench->server = tel_evhttp_create(bench->http, bench->signals, 0);
    assert_non_null(bench->server);
    assert_int_equal(tel_evhttp_set_cb(bench->server, "/hello", greet, NULL), 0);
    bench->port = bind_loopback(bench->http, "127.0.0.1");
    *state = bench;
    return 0;
}

static inline void bench_close(struct bench *bench)
{
    if (bench->http != NULL) {
        evhttp_free(bench->http);
        bench->http = NULL;
    }
}

UNUSED static int bench_teardown(void **state)
{
    struct bench *bench = *state;
    bench_close(bench);
    tel_evhttp_destroy(bench->server);
    tel_signals_destroy(bench->signals);
    event_base_free(bench->base);
    unlink(bench->log);
    free(bench);
    return 0;
}

/* Lets the server work until the condition holds, a millisecond a round. */
#define WORK_UNTIL(bench, condition)                                     \
    do {                                                                 \
        bool holds = false;                                              \
        for (int round = 0; !holds && round < ROUNDS_MAX; round++) {     \
            event_base_loop((bench)->base, EVLOOP_NONBLOCK);             \
            holds = (condition);                                         \
            nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL); \
        }                                                                \
        if (!holds) {                                                    \
            fail_msg("never came true: %s", #condition);                 \
        }                                                                \
    } while (0)

/* ---- a client ------------------------------------------------------------------------------ */

static inline int client_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline void client_send(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

/* Goes at once, with what it has not read. */
UNUSED static void client_reset(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
}

/* Adds to `text` what has come; false when there was nothing. */
static inline bool client_receive(int fd, char text[TEXT_MAX], size_t *length)
{
    ssize_t got = recv(fd, text + *length, TEXT_MAX - 1 - *length, MSG_DONTWAIT);
    *length += got > 0 ? (size_t)got : 0;
    text[*length] = '\0';
    return got > 0;
}

/* Whether the text holds a response whose body is as long as it says. */
static inline bool is_whole(const char *text, size_t length, bool head)
{
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    const char *header = strcasestr(text, "\r\nContent-Length: ");
    size_t body = header != NULL && !head ? strtoul(header + 18, NULL, 10) : 0;
    return end != NULL && length >= (size_t)(end - text) + 4 + body;
}

/* One request on a connection of its own; the whole response, in memory of this function. */
UNUSED static const char *client_ask(struct bench *bench, const char *request, size_t *length)
{
    static char text[TEXT_MAX];
    size_t got = 0;
    int fd = client_connect(bench->port);
    bool head = strncmp(request, "HEAD", 4) == 0;
    text[0] = '\0';
    client_send(fd, request);
    WORK_UNTIL(bench, !client_receive(fd, text, &got) && is_whole(text, got, head));
    close(fd);
    if (length != NULL) {
        *length = got;
    }
    return text;
}

/* ---- what the signals said ----------------------------------------------------------------- */

static inline void add_attribute(char *out, size_t size, const struct tel_attribute *attribute)
{
    size_t used = strlen(out);
    if (attribute->type == TEL_VALUE_INT) {
        snprintf(out + used, size - used, " %s=%lld", attribute->key,
                 (long long)attribute->value.integer);
    } else if (attribute->type == TEL_VALUE_DOUBLE) {
        snprintf(out + used, size - used, " %s=%g", attribute->key, attribute->value.real);
    } else {
        snprintf(out + used, size - used, " %s=%.*s", attribute->key,
                 (int)attribute->value.string.length, attribute->value.string.data);
    }
}

/* Takes the oldest span out of the queue: name, kind, status and attributes. "" when there is none. */
UNUSED static const char *take_span(struct bench *bench, uint8_t trace_id[16], uint8_t parent[8])
{
    static char text[8192];
    struct tel_tracer *tracer = tel_signals_get_tracer(bench->signals);
    const struct tel__span_record *record = peek_span(tracer);
    struct tel_item item;
    size_t position = 0;
    text[0] = '\0';
    if (record == NULL) {
        return text;
    }
    snprintf(text, sizeof(text), "%.*s kind=%u status=%u", record->name_length, record->bytes,
             record->kind, record->status);
    while (tel__item_next(record, &position, &item)) {
        add_attribute(text, sizeof(text), &item.attribute);
    }
    if (trace_id != NULL) {
        memcpy(trace_id, record->trace_id, 16);
    }
    if (parent != NULL) {
        memcpy(parent, record->parent_span_id, 8);
    }
    pop_span(tracer);
    return text;
}

/* The exposition in OpenMetrics, in memory of this function. */
static inline const char *expose(struct bench *bench)
{
    static char text[TEXT_MAX * 4];
    struct tel_buffer out;
    tel_buffer_init(&out, sizeof(text) - 1);
    assert_int_equal(tel_registry_expose(tel_signals_get_registry(bench->signals),
                                         TEL_EXPOSITION_OPENMETRICS, &out),
                     0);
    memcpy(text, out.data, out.length);
    text[out.length] = '\0';
    tel_buffer_fini(&out);
    return text;
}

/* The line of the exposition that begins so, without its end; "" when there is none. */
UNUSED static const char *find_sample(struct bench *bench, const char *beginning)
{
    static char line[1024];
    const char *text = expose(bench);
    line[0] = '\0';
    for (const char *at = text; (at = strstr(at, beginning)) != NULL; at++) {
        if (at == text || at[-1] == '\n') {
            snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
            break;
        }
    }
    return line;
}

/* Ends the log and gives its index-th line that is no directive; "" when there are not so many. */
UNUSED static const char *read_line(struct bench *bench, size_t index)
{
    static char line[4096];
    FILE *file = fopen(bench->log, "r");
    assert_int_equal(tel_access_log_shutdown(tel_signals_get_access_log(bench->signals), 30000), 0);
    assert_non_null(file);
    do {
        if (fgets(line, sizeof(line), file) == NULL) {
            line[0] = '\0';
            break;
        }
    } while (line[0] == '#' || index-- > 0);
    fclose(file);
    return line;
}

UNUSED static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no '%s' in '%s'", part, text);
    }
}

#endif
