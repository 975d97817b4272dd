/*
 * The HTTP/1.1 engine: sockets on one side, exchanges on the other.
 *
 * What it is for: to turn the bytes of one thread's connections into requests, to send responses,
 * and to account for every request that had a first byte, however it ended. It knows nothing of
 * routes, metrics or traces: it calls a `struct http_service`.
 *
 * How it works: an engine lives on one thread's event loop and owns that thread's connections. A
 * connection at rest holds no buffer: bytes are received into the engine's scratch buffer and fed
 * to llhttp; an exchange (request, response, the service's own data) is taken from the engine's
 * pool at the first byte and returned after the last. Responses are sent straight to the socket;
 * EV_WRITE is armed only when a write was short. Exchanges of a connection follow one another:
 * what a client pipelines waits, unparsed, until the response before it has been sent.
 *
 *     adopt ─> idle ──first byte──> head ─> body ─> handling ─> sending ─┬─> idle
 *                │                    └──refused────────────────^        └─> lingering ─> closed
 *                └─ timeout, EOF ──> closed
 *
 * For each exchange the service is called in this order: open once (head complete, or refused, or
 * given up), handle at most once (message complete and not refused), close once. Between handle and
 * http_exchange_respond() the exchange is the service's, for as long as it likes; `abandoned` tells
 * a service that waits when the client has gone. In place of one response it may begin a stream, and
 * has the exchange until http_stream_end().
 *
 * Threads: everything on the engine's own thread, but for http_engine_get_stats(), which any may
 * call.
 * Memory: see http_limits; bytes of a request are valid from open until close returns.
 * Failure: an engine that cannot get memory for an exchange answers 503 where it can and closes.
 * Source: RFC 9110, RFC 9112; the table of inputs and answers is in src/http/README.md.
 */
#ifndef GLASSBOX_HTTP_H
#define GLASSBOX_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "telemetry/buffer.h"

struct event_base;
struct http_engine;     /* one thread's connections */
struct http_connection; /* one socket */
struct http_exchange;   /* one request and its response */

#define HTTP_HEADERS_MAX          256 /* ceiling of the option */
#define HTTP_RESPONSE_HEADERS_MAX 16
#define HTTP_SERVICE_BYTES        20480 /* of an exchange, for the service's own use */

struct http_slice {
    const char *data; /* NULL: absent */
    size_t length;
};

struct http_field {
    struct http_slice name; /* as it came */
    struct http_slice value;
};

struct http_limits {
    size_t request_line_bytes; /* over it: 414 */
    size_t head_bytes;         /* request line and headers: 431 */
    size_t header_count;       /* 431 */
    uint64_t body_bytes;       /* 413 */
    uint32_t idle_ms;          /* keep-alive without a byte: closed silently */
    uint32_t head_ms;          /* first byte to end of head: 408 */
    uint32_t body_ms;          /* end of head to end of body: 408 */
    uint32_t write_ms;         /* a response without progress: reset */
    uint32_t linger_ms;        /* reading on after a half-close, so the client sees the answer */
};

/* Methods the engine knows; HTTP_METHOD_OTHER is any other token, HTTP_METHOD_NONE none parsed. */
enum http_method {
    HTTP_METHOD_NONE,
    HTTP_METHOD_OTHER,
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_CONNECT,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_TRACE,
    HTTP_METHOD_PATCH,
    HTTP_METHODS
};
/* "GET", …; "_OTHER" for the first two. Static. */
const char *http_method_name(enum http_method method);

/* How an exchange ended otherwise than by a handler's answer: the closed list of error.type. */
enum http_error {
    HTTP_OK = 0,
#define HTTP_ERROR(NAME, name, status, detail) HTTP_ERROR_##NAME,
#include "http/errors.def"
#undef HTTP_ERROR
    HTTP_ERRORS
};
/* "bad_request", …; NULL for HTTP_OK. Static. */
const char *http_error_name(enum http_error error);
/* What the client is told, a JSON-safe sentence; NULL for HTTP_OK. Static. */
const char *http_error_detail(enum http_error error);
/* Whether the engine itself answered: as opposed to a handler, or nobody. */
bool http_error_is_refusal(enum http_error error);

/* The reason phrase of a status (RFC 9110, 15); absent for one without. Static. */
struct http_slice http_reason(uint16_t status);

/* Headers that something asks for on every request: found in O(1). Repeated ones keep the first,
 * counted in `known_count`. */
enum http_known {
    HTTP_KNOWN_HOST,
    HTTP_KNOWN_ACCEPT,
    HTTP_KNOWN_ACCEPT_ENCODING,
    HTTP_KNOWN_USER_AGENT,
    HTTP_KNOWN_TRACEPARENT,
    HTTP_KNOWN_TRACESTATE,
    HTTP_KNOWN_BAGGAGE,
    HTTP_KNOWN_AUTHORIZATION,
    HTTP_KNOWN_CONTENT_TYPE,
    HTTP_KNOWN_EXPECT,
    HTTP_KNOWN_REFERER,
    HTTP_KNOWNS
};

struct http_request {
    enum http_method method;
    struct http_slice method_text; /* the token as it came; absent if none was parsed */
    struct http_slice target;      /* as it came */
    struct http_slice path;        /* of the target; absent if none was parsed */
    struct http_slice query;       /* without `?`; absent if there is none */
    struct http_slice authority;   /* of an absolute target, else the Host header */
    int minor_version;             /* 0 or 1; -1 while unknown */
    struct http_field *fields;     /* none unless the head came to its end */
    size_t field_count;
    const struct http_field *known[HTTP_KNOWNS];
    uint16_t known_count[HTTP_KNOWNS];
    uint64_t head_bytes;    /* received, request line and final CRLF included */
    uint64_t body_bytes;    /* received, framing included */
    struct tel_buffer body; /* content, kept only if the service asked for it in open */
};

struct http_response {
    uint16_t status;
    struct http_slice content_type; /* borrowed until close; absent: none is sent */
    struct http_field fields[HTTP_RESPONSE_HEADERS_MAX]; /* others; values borrowed until close */
    size_t field_count;
    struct http_slice body; /* borrowed until respond returns */
    bool close;             /* send `Connection: close` and close after it */
    bool truncated;         /* send the first half of the body only, and close after it */
};

struct http_exchange {
    struct http_engine *engine;
    struct http_connection *connection;
    struct http_request request;
    struct http_response response;
    enum http_error error; /* set by the engine when it ends otherwise */
    bool want_body;        /* set in open: keep request.body; open may lower its limit: 413 */
    bool abandoned;        /* the client has gone while the service was handling */
    bool responded;        /* http_exchange_respond() was called */
    bool last;             /* this response closes the connection */
    bool streamed;         /* http_stream_begin() was called */
    uint64_t bytes_sent;   /* of the response, head included, so far */
    /* Monotonic nanoseconds; 0: did not happen. */
    uint64_t start_ns;      /* first byte */
    uint64_t read_ns;       /* message complete */
    uint64_t first_byte_ns; /* first byte of the response handed to the kernel */
    uint64_t end_ns;        /* last byte, or given up; set before close is called */
    _Alignas(16) char service[HTTP_SERVICE_BYTES]; /* the service's own; not cleared */
};

/* What an engine calls. `open` may set response fields and want_body; for a refused request `error`
 * is set already and `response` is the engine's own: open may add fields to it. `handle` must call
 * http_exchange_respond() now or later, or begin a stream. `abandoned` (may be NULL) is called once
 * while a service holds an exchange whose client has gone; it must stop its timers and call
 * http_exchange_respond(), or http_stream_end() of a stream, which then send nothing. `close` is the
 * last call; the exchange goes back to the pool after it. */
struct http_service {
    void (*open)(struct http_exchange *exchange, void *argument);
    void (*handle)(struct http_exchange *exchange, void *argument);
    void (*abandoned)(struct http_exchange *exchange, void *argument);
    void (*close)(struct http_exchange *exchange, void *argument);
    /* Refused after open, before handle: the response is composed, and may be written anew. Or NULL. */
    void (*refused)(struct http_exchange *exchange, void *argument);
    const char *allow; /* the server's Allow value, told who tries CONNECT; static, or NULL */
    void *argument;
};

/* NULL with errno ENOMEM. Borrows all four. */
struct http_engine *http_engine_create(struct event_base *base, const struct http_limits *limits,
                                       const struct http_service *service);
/* Closes every connection; open exchanges end as HTTP_ERROR_SHUTDOWN. */
void http_engine_destroy(struct http_engine *engine);

/* Takes over a connected non-blocking socket. `peer` is the other end's address; `listener` the
 * address it was accepted on (port and, unless wildcard, address; the local address itself is looked
 * up only when asked for). A response is one write, so the socket should have TCP_NODELAY, best
 * inherited from its listener. Returns 0, or -ENOMEM, the socket then closed. */
int http_engine_adopt(struct http_engine *engine, int fd, const struct sockaddr *peer,
                      const struct sockaddr *listener);

/* From now on each response carries `Connection: close`; connections at rest stay open until they ask
 * once more. Who is told so sends nothing into the end of his connection, as may happen to one that is
 * closed at rest: so this comes some time before the drain, where there is time. */
void http_engine_leave(struct http_engine *engine);

/* From now on each response carries `Connection: close`, and kept-alive connections at rest are
 * closed at once. A request whose first bytes have arrived is still served, and a client that has
 * connected and not said anything yet is given limits.linger_ms to do so. */
void http_engine_drain(struct http_engine *engine);

struct http_engine_stats {
    uint64_t connections;     /* open now */
    uint64_t exchanges;       /* open now */
    uint64_t closed;          /* given to adopt and closed since, for whatever reason */
    uint64_t idle_closed;     /* ended by the idle timeout */
    uint64_t without_request; /* closed without a single byte of a request */
    uint64_t drained;         /* idle ones closed by drain */
    uint64_t lost;            /* closed at a first byte for want of memory, without an exchange */
};
/* Reads the counts; any thread, no lock. */
void http_engine_get_stats(const struct http_engine *engine, struct http_engine_stats *stats);

/* Appends a response header. `name` static; `value` borrowed until close. Ignored, and asserted in
 * debug builds, over HTTP_RESPONSE_HEADERS_MAX. */
void http_response_add(struct http_response *response, const char *name, const char *value,
                       size_t length);

/* Sends exchange->response: status line, Date, Content-Type, Content-Length, the added fields,
 * Connection where needed, body. HEAD, 204 and 304 send no body. One that is truncated ends as
 * fault_truncated; where no body is sent there is nothing to cut, and it ends as any other. May call
 * close before it returns: touch nothing of the exchange afterwards. */
void http_exchange_respond(struct http_exchange *exchange);

/* In place of a response: resets the connection without a byte of one; ends as fault_reset. The same
 * about close. */
void http_exchange_reset(struct http_exchange *exchange);

/* Streams: a response whose end is not known, for as long as its client stays. The head goes now,
 * pieces when there are any: chunked, or, to HTTP/1.0, up to the end of the connection. Requests
 * behind it wait, and there is no write timeout: the service ends a stream that takes nothing.
 *
 *     if (http_stream_begin(exchange)) { … }
 *     each time there is news: if (http_stream_is_clear(exchange)) { http_stream_send(exchange, …); }
 *     in the end, or when it is abandoned: http_stream_end(exchange);
 *
 * One that its client leaves, having been sent something, ends as HTTP_OK: it has no length to miss.
 * A stream is also abandoned for write_overloaded, when it is one of those that make the engine keep
 * too much. `abandoned` comes from the loop, or from http_engine_destroy(): never from within these
 * functions, so a service may go through a list of streams. */

#define HTTP_STREAM_PIECE_BYTES 262144 /* at most, of one piece */

/* Sends exchange->response, its body aside. Returns false when that was all, as it is to HEAD, or for
 * a status without content: touch nothing of the exchange afterwards. */
bool http_stream_begin(struct http_exchange *exchange);
/* Whether the socket has taken all that was sent so far. False once the client has gone. */
bool http_stream_is_clear(const struct http_exchange *exchange);
/* Sends a piece, which is borrowed until the call returns; what the socket does not take is kept.
 * Only of a stream that is clear: else ignored, and asserted in debug builds, as is a piece that is
 * too large. Nothing is sent for an empty one. */
void http_stream_send(struct http_exchange *exchange, const void *bytes, size_t length);
/* Ends the stream; from here on the write timeout applies to what is still kept. May call close before
 * it returns: touch nothing of the exchange afterwards. */
void http_stream_end(struct http_exchange *exchange);

/* Gives up a stream whose client does not take what it was sent: the connection is reset, and the
 * stream abandoned as `error`. Of one that is abandoned already: ignored. */
void http_stream_give_up(struct http_exchange *exchange, enum http_error error);

/* The peer's address; valid until close. */
const struct sockaddr *http_exchange_peer(const struct http_exchange *exchange);
/* The local address, asked of the kernel at the first call where the listener's is a wildcard;
 * valid until close. */
const struct sockaddr *http_exchange_local(struct http_exchange *exchange);

/* The value of the first header `name` (lower case, compared without case), absent if none. */
struct http_slice http_request_header(const struct http_request *request, const char *name);

#endif
