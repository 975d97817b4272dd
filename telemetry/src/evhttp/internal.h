/*
 * An evhttp server from within: its routes, and a request between its opening and its end.
 *
 *   evhttp.c      the server, its routes, the life of a request
 *   facts.c       what evhttp knows of a request, in the signals' terms
 *   attributes.c  the same by the names of the semantic conventions
 *   record.c      the signals of a request, at its opening and at its end
 *   page.c        what the library answers itself
 *
 * Threads: all by the server's.
 */
#ifndef TEL_EVHTTP_INTERNAL_H
#define TEL_EVHTTP_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "signals/signals.h"
#include "telemetry/buffer.h"
#include "telemetry/evhttp.h"
#include "telemetry/query.h"

#define TEL__EVHTTP_NAME_MAX 256 /* bytes of a span's name with its NUL; longer ones are cut */
#define TEL__HOST_MAX        (INET6_ADDRSTRLEN + 2)

struct evbuffer;
struct evbuffer_cb_entry;
struct evhttp_connection;

/* A callback of the program's. */
struct tel__evhttp_route {
    struct tel_evhttp *server;
    struct tel__evhttp_route *next;
    char *path; /* NULL: of requests that no other has */
    tel_evhttp_cb_fn *cb;
    void *argument;
};

struct tel_evhttp {
    struct evhttp *http;
    struct tel_signals *signals;
    size_t shard;
    struct tel__evhttp_route *routes;
    struct tel__evhttp_route other;
    uint64_t wall_offset_ns; /* see clock.h */
    uint64_t offset_due_ns;
    struct tel_buffer page; /* the last exposition; keeps its memory */
    struct tel_buffer packed;
};

/* What evhttp knows; strings are borrowed from the request. */
struct tel__facts {
    const char *method;
    const char *scheme;
    const char *version; /* "1.1"; NULL: another */
    struct tel_text path;
    struct tel_text query;          /* without secrets; may be in `redacted` */
    struct tel_text host;           /* as the client wrote it */
    struct tel_text server_address; /* the same without port and brackets */
    uint16_t server_port;           /* said or the scheme's; 0: unknown */
    const struct sockaddr *peer;    /* NULL: unknown */
    char redacted[TEL_QUERY_REDACTED_MAX];
};

/* A request that is open. */
struct tel__evhttp_exchange {
    struct tel_evhttp *server;
    struct evhttp_request *request;
    struct evhttp_connection *connection;
    struct evbuffer *output;           /* of the connection */
    struct evbuffer_cb_entry *counter; /* of what leaves it */
    const char *route;                 /* NULL: none */
    uint64_t start_ns;
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint16_t status; /* that was sent; 0: none yet */
    void (*ended)(void *argument);
    void *ended_argument;
    struct sockaddr_storage local; /* of the connection; AF_UNSPEC: unknown */
    char name[TEL__EVHTTP_NAME_MAX];
    char traceresponse[TEL_TRACEPARENT_LENGTH + 1];
    struct tel_span span;
    struct tel_context incoming;
};

/* How a request ended. */
struct tel__ending {
    uint16_t status;        /* 0: none was sent */
    const char *error_type; /* NULL: in order */
};

/* ---- facts.c ------------------------------------------------------------------------------- */

/* The method as conventions call it. */
const char *tel__evhttp_method(const struct evhttp_request *request);

/* "http", or "https" when the connection is one of OpenSSL's. */
const char *tel__evhttp_scheme(const struct tel__evhttp_exchange *exchange);

/* Fills all of it but `peer` of a connection that is gone. */
void tel__facts_read(struct tel__facts *facts, const struct tel__evhttp_exchange *exchange);

/* Bytes of head and body, as far as evhttp keeps them. Before the program has drained the body. */
uint64_t tel__evhttp_request_bytes(struct evhttp_request *request);

/* Writes the host of an address without its port, and a NUL; IPv4 mapped into IPv6 as IPv4. Returns
 * its length, 0 when it has none. */
size_t tel__host_format(const struct sockaddr *address, char out[TEL__HOST_MAX]);

/* In host order; 0: none. */
uint16_t tel__port_of(const struct sockaddr *address);

/* ---- attributes.c -------------------------------------------------------------------------- */

#define TEL__ATTRIBUTES_MAX 20

/* Borrows from the facts, the exchange and itself. */
struct tel__attributes {
    size_t count;
    struct tel_attribute items[TEL__ATTRIBUTES_MAX];
    char server[TEL__HOST_MAX];
    char peer[TEL__HOST_MAX];
};

/* What is known before the program answers, and how it ended. */
void tel__attributes_add_request(struct tel__attributes *list,
                                 const struct tel__evhttp_exchange *exchange,
                                 const struct tel__facts *facts);
void tel__attributes_add_outcome(struct tel__attributes *list,
                                 const struct tel__evhttp_exchange *exchange,
                                 const struct tel__ending *ending);
/* Add one more; what finds no room is left out. */
void tel__attributes_add_int(struct tel__attributes *list, const char *key, int64_t value);
void tel__attributes_add_double(struct tel__attributes *list, const char *key, double value);

/* Sets all of them on a span, which copies them: those that the two above add. */
void tel__attributes_set(const struct tel__attributes *list, struct tel_span *span);

/* ---- record.c ------------------------------------------------------------------------------ */

/* Makes the families that servers share, once. Returns 0 or a negative errno. */
int tel__evhttp_make_families(struct tel_signals *signals);

/* Begins the span, counts the request as active. */
void tel__evhttp_record_open(struct tel__evhttp_exchange *exchange);

/* Names the span after method and route. */
void tel__evhttp_name_span(struct tel__evhttp_exchange *exchange);

/* Writes observation, span and line, and a log record where those are exported. */
void tel__evhttp_record_end(struct tel__evhttp_exchange *exchange,
                            const struct tel__ending *ending);

/* ---- page.c -------------------------------------------------------------------------------- */

/* Answers in a line of text. (Given a body, libevent 2.1 sends it to a HEAD too.) */
void tel__evhttp_answer(struct evhttp_request *request, int status, const char *text);

/* The callback of tel_evhttp_serve_metrics(); its argument is the server. */
tel_evhttp_cb_fn tel__evhttp_serve_page;

#endif
