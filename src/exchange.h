/*
 * The exchange: the ONE place where a request's span, metrics and log line open and close.
 *
 * How it works: the HTTP engine calls open, handle and close (http/http.h). open extracts the trace
 * context, starts the SERVER span and finds the route; handle calls the route's handler; close turns
 * the same finished request into one observation, one span and one log line. A handler sees a
 * `struct exchange`, which lives in the engine's exchange, and answers with exchange_reply() or
 * exchange_problem(), now or later.
 *
 * Threads: the site's own.
 * Memory: an exchange lives from open to close; what a handler returns must live as long as the call
 * (body) or until close (content type, header values).
 */
#ifndef GLASSBOX_EXCHANGE_H
#define GLASSBOX_EXCHANGE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "burner.h"
#include "faults/inject.h"
#include "http/http.h"
#include "router.h"
#include "site.h"
#include "telemetry/trace.h"

#define EXCHANGE_DETAIL_BYTES \
    512 /* of a problem's detail, its NUL included; what is longer is cut */
/* Of a body that an exchange builds for itself: a problem document whose detail is escaped throughout
 * (a control character becomes six) fits. */
#define EXCHANGE_TEXT_BYTES (EXCHANGE_DETAIL_BYTES * 6 + 128)

struct exchange {
    struct http_exchange *http;
    struct site *site;
    const struct route *route;
    uint64_t wall_offset_ns; /* the site's at open: one clock for all of a request's times */
    const char *error_type;  /* set at close: NULL, or what all three signals say */
    struct event timer;      /* of a handler that waits; initialised when has_timer */
    bool has_timer;
    bool has_child;                          /* `child` is open */
    uint64_t wait_until_ns;                  /* monotonic */
    void (*gone)(struct exchange *exchange); /* of a stream */
    void (*wait_over)(struct exchange *exchange);
    struct page_viewer *viewer;     /* of a stream of the live page, or NULL */
    struct page_children *children; /* what it is shown of the spans within, or NULL */
    struct burn burn;               /* of a fault, then of handlers/work.c */
    struct fault_mark fault;        /* what was injected; `drawn` is 0 where nothing was */
    char error_text[8];
    char traceresponse[TEL_TRACEPARENT_LENGTH + 1];
    struct tel_span span;
    struct tel_span child; /* INTERNAL: what a handler does on its way */
    /* Last, mostly untouched memory: */
    struct tel_context incoming;
    char text[EXCHANGE_TEXT_BYTES];
};
_Static_assert(sizeof(struct exchange) <= HTTP_SERVICE_BYTES, "fits the engine's exchange");

/* The calls to give to an engine for this site. */
struct http_service exchange_calls(struct site *site);

/* Answers with a body that is borrowed until the call returns. `content_type` is static. */
void exchange_reply(struct exchange *exchange, uint16_t status, const char *content_type,
                    const void *body, size_t length);

/* Answers with an RFC 9457 problem document, or the same as text where the client does not accept
 * JSON. printf of the detail, of any bytes: the document escapes them. */
void exchange_problem(struct exchange *exchange, uint16_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds Allow, of what the request's target allows, and returns its value; a 405 has it. */
const char *exchange_add_allow(struct exchange *exchange);

/* Answers with a stream (http/http.h), whose head this sends. `gone` is called once when its client has
 * gone, or the thread's engine ends, and nothing of the stream must be touched after it: it ends then.
 * Until then the handler sends with http_stream_send(exchange->http, …) and ends it with
 * http_stream_end(). Returns false when it is over at once, as to HEAD: touch nothing then. */
bool exchange_begin_stream(struct exchange *exchange, uint16_t status, const char *content_type,
                           void (*gone)(struct exchange *exchange));

/* The content of the request, whole; empty unless its route takes one (routes.def). */
struct http_slice exchange_content(const struct exchange *exchange);
/* Whether Content-Type says `type`, "application/json" say, parameters aside; or says nothing. */
bool exchange_content_is(const struct exchange *exchange, const char *type);
/* What the request's path has in place of the `{name}` of its route; absent without one. */
struct http_slice exchange_path_rest(const struct exchange *exchange);

/* Runs `callback(exchange)` on the loop no earlier than `delay_us` from now, unless the client goes
 * away first. A handler that waits this way must answer, or wait again, from the callback. */
void exchange_wait(struct exchange *exchange, uint64_t delay_us,
                   void (*callback)(struct exchange *exchange));

/* Opens and ends the INTERNAL child span; an exchange has at most one open. One that a handler left
 * open ends with the exchange. */
void exchange_begin_child(struct exchange *exchange, const char *name);
void exchange_end_child(struct exchange *exchange);

#endif
