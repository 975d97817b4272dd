/*
 * The sink: a collector that costs next to nothing, so that the exporter before it is what is
 * measured.
 *
 * It takes OTLP/HTTP posts of protobuf, counts the spans in them by walking nested lengths three
 * levels deep (nothing below a span is looked at), and answers 200 with an empty
 * ExportTraceServiceResponse, which is zero bytes. What comes to /v1/logs is counted the same way,
 * apart. `GET /stats` tells what it saw, as JSON.
 *
 *     ExportTraceServiceRequest ─1─> ResourceSpans ─2─> ScopeSpans ─2─> Span: counted
 *
 * One thread, one event loop. A connection has one buffer that grows to the largest post seen and
 * stays. Posts are delimited by Content-Length only, plain or gzip: anything else is answered 4xx,
 * counted as bad, and the connection closed.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD_MAX     16384
#define BODY_MAX     (64u << 20)
#define BUFFER_FIRST (256u << 10)

static struct {
    uint64_t posts;
    uint64_t spans;
    uint64_t logs;
    uint64_t bytes;
    uint64_t bad;
} totals;

/* What was compressed, as it was before: one buffer for all connections. */
static struct {
    uint8_t *bytes;
    size_t size;
} plain;

struct connection {
    struct event *event;
    char *bytes;
    size_t used;
    size_t size;
    size_t head; /* length of the head once complete, else 0 */
    size_t body; /* its Content-Length */
    bool gzip;
};

/* ---- protobuf ------------------------------------------------------------------------------ */

struct view {
    const uint8_t *at;
    const uint8_t *end;
};

static bool varint(struct view *view, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && view->at < view->end; shift += 7) {
        uint8_t byte = *view->at++;

        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* Passes over the value of a field; for a length-delimited one *inner is its content. */
static bool skip(struct view *view, unsigned wire, struct view *inner)
{
    uint64_t length = wire == 1 ? 8 : 4;

    if (wire == 0) {
        return varint(view, &length);
    }
    if (wire == 2 ? !varint(view, &length) : wire != 1 && wire != 5) {
        return false;
    }
    if (length > (uint64_t)(view->end - view->at)) {
        return false;
    }
    *inner = (struct view){view->at, view->at + length};
    view->at += length;
    return true;
}

/* Counts the messages at the end of `path`, a zero-terminated list of field numbers. */
static bool count(struct view view, const unsigned *path, uint64_t *found)
{
    while (view.at < view.end) {
        struct view inner = {NULL, NULL};
        uint64_t tag;

        if (!varint(&view, &tag) || !skip(&view, (unsigned)tag & 7, &inner)) {
            return false;
        }
        if (tag != (path[0] << 3 | 2)) {
            continue;
        }
        if (path[1] == 0) {
            ++*found;
        } else if (!count(inner, path + 1, found)) {
            return false;
        }
    }
    return true;
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static bool answer(struct event *event, const char *status, const char *type, const char *body)
{
    char text[512];
    int length = snprintf(text, sizeof(text),
                          "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                          status, type, strlen(body), body);

    return send(event_get_fd(event), text, (size_t)length, MSG_NOSIGNAL) == length;
}

static bool refuse(struct event *event, const char *status)
{
    totals.bad++;
    answer(event, status, "text/plain", "");
    return false;
}

/* Reads the head's length and Content-Length once its end has come. `line` is NUL-terminated. */
static bool parse_head(struct connection *connection, const char *end)
{
    char *line = strstr(connection->bytes, "\r\n");

    connection->head = (size_t)(end - connection->bytes) + 4;
    connection->body = 0;
    connection->gzip = false;
    for (; line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) == 0) {
            connection->body = strtoul(line + 17, NULL, 10);
        } else if (strncasecmp(line + 2, "content-encoding: gzip\r", 23) == 0) {
            connection->gzip = true;
        } else if (strncasecmp(line + 2, "transfer-encoding:", 18) == 0 ||
                   strncasecmp(line + 2, "content-encoding:", 17) == 0) {
            return false;
        }
    }
    return connection->body <= BODY_MAX;
}

static bool serve_stats(struct event *event)
{
    char text[256];

    snprintf(text, sizeof(text),
             "{\"posts\":%llu,\"spans\":%llu,\"logs\":%llu,\"bytes\":%llu,\"bad\":%llu}\n",
             (unsigned long long)totals.posts, (unsigned long long)totals.spans,
             (unsigned long long)totals.logs, (unsigned long long)totals.bytes,
             (unsigned long long)totals.bad);
    return answer(event, "200 OK", "application/json", text);
}

/* Replaces a body by what it was before gzip; BODY_MAX at most. */
static bool unpack(struct view *body)
{
    z_stream stream = {.next_in = (Bytef *)body->at, .avail_in = (uInt)(body->end - body->at)};
    int result = inflateInit2(&stream, 15 + 16);

    while (result == Z_OK && plain.size <= BODY_MAX) {
        if (stream.total_out == plain.size) {
            uint8_t *bytes = realloc(plain.bytes, plain.size == 0 ? BUFFER_FIRST : 2 * plain.size);

            if (bytes == NULL) {
                break;
            }
            plain.bytes = bytes;
            plain.size = plain.size == 0 ? BUFFER_FIRST : 2 * plain.size;
        }
        stream.next_out = plain.bytes + stream.total_out;
        stream.avail_out = (uInt)(plain.size - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
    }
    *body = (struct view){plain.bytes, plain.bytes + stream.total_out};
    inflateEnd(&stream);
    return result == Z_STREAM_END;
}

/* Answers one complete request. Returns whether the connection goes on. */
static bool serve(struct connection *connection)
{
    static const unsigned record_path[] = {1, 2, 2, 0}; /* of spans and of log records */
    const uint8_t *bytes = (const uint8_t *)connection->bytes + connection->head;
    struct view body = {bytes, bytes + connection->body};
    bool logs = strncmp(connection->bytes, "POST /v1/logs ", 14) == 0;
    uint64_t records = 0;

    if (strncmp(connection->bytes, "GET /stats ", 11) == 0) {
        return serve_stats(connection->event);
    }
    if (strncmp(connection->bytes, "POST ", 5) != 0) {
        return refuse(connection->event, "405 Method Not Allowed");
    }
    if ((connection->gzip && !unpack(&body)) || !count(body, record_path, &records)) {
        return refuse(connection->event, "400 Bad Request");
    }
    totals.posts++;
    *(logs ? &totals.logs : &totals.spans) += records;
    totals.bytes += connection->body;
    return answer(connection->event, "200 OK", "application/x-protobuf", "");
}

/* Serves what has arrived whole. Returns whether the connection goes on. */
static bool advance(struct connection *connection)
{
    size_t length;

    if (connection->head == 0) {
        const char *end = NULL;

        connection->bytes[connection->used] = '\0';
        end = memmem(connection->bytes, connection->used, "\r\n\r\n", 4);
        if (end == NULL) {
            return connection->used < HEAD_MAX;
        }
        if (!parse_head(connection, end)) {
            return refuse(connection->event, "415 Unsupported Media Type");
        }
    }
    length = connection->head + connection->body;
    if (connection->used < length) {
        return true;
    }
    if (!serve(connection)) {
        return false;
    }
    connection->used -= length;
    memmove(connection->bytes, connection->bytes + length, connection->used);
    connection->head = 0;
    return connection->used == 0 || advance(connection);
}

/* Room for the rest of the request, or for a first piece of one, and a NUL. */
static bool make_room(struct connection *connection)
{
    size_t wanted = connection->head + connection->body + HEAD_MAX;
    char *bytes;

    if (wanted < connection->size) {
        return true;
    }
    bytes = realloc(connection->bytes, wanted + 1);
    if (bytes == NULL) {
        return false;
    }
    connection->bytes = bytes;
    connection->size = wanted + 1;
    return true;
}

static void connection_destroy(struct connection *connection)
{
    close(event_get_fd(connection->event));
    event_free(connection->event);
    free(connection->bytes);
    free(connection);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;
    ssize_t received = -1;

    (void)what;
    errno = ENOMEM;
    if (make_room(connection)) {
        received = recv(fd, connection->bytes + connection->used,
                        connection->size - connection->used - 1, 0);
    }
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (received > 0) {
        connection->used += (size_t)received;
        if (advance(connection)) {
            return;
        }
    }
    connection_destroy(connection);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int length, void *argument)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    (void)peer;
    (void)length;
    (void)argument;
    if (connection != NULL) {
        connection->size = BUFFER_FIRST;
        connection->bytes = malloc(connection->size);
        connection->event = event_new(evconnlistener_get_base(listener), fd, EV_READ | EV_PERSIST,
                                      on_readable, connection);
    }
    if (connection == NULL || connection->bytes == NULL || connection->event == NULL ||
        event_add(connection->event, NULL) != 0) {
        fputs("bench_sink: out of memory\n", stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_storage address = {0};
    int length = (int)sizeof(address);
    struct event_base *base = event_base_new();

    if (argc != 3 || strcmp(argv[1], "--listen") != 0 ||
        evutil_parse_sockaddr_port(argv[2], (struct sockaddr *)&address, &length) != 0) {
        fputs("usage: bench_sink --listen ADDR:PORT\n", stderr);
        return 2;
    }
    if (base == NULL ||
        evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC,
                                128, (struct sockaddr *)&address, length) == NULL) {
        fprintf(stderr, "bench_sink: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    event_base_dispatch(base);
    return 1;
}
