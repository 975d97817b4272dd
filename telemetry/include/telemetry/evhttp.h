/*
 * evhttp: the three signals for programs that serve with libevent's own HTTP server.
 *
 * What it is for: a callback that was registered with evhttp_set_cb() is registered here instead,
 * and each of its requests becomes a SERVER span, an observation in
 * http_server_request_duration_seconds (with the span as exemplar) and a line of the access log, and
 * where OTEL_LOGS_EXPORTER=otlp a log record. They agree: they are written in one place, from the same
 * facts.
 *
 * How it works: the library's callback stands before the program's own. It reads the W3C headers,
 * begins the span, sets `traceresponse`, and calls on. The request ends when evhttp has written its
 * last byte, or when its connection goes.
 *
 *     evhttp ──> open ──> the program's callback ──> evhttp_send_reply() ──> last byte, or closed
 *                  │                                                            │
 *             span begins                              span ends, observation, line: once, in one place
 *
 * What evhttp answers without asking anybody is in no signal: malformed heads, bodies over its limit,
 * methods that evhttp_set_allowed_methods() does not list. What evhttp does not tell is not known: a
 * request's time begins when it was read whole; its size is counted as `Name: value` lines and the
 * body without chunk framing.
 *
 * To learn of a request's end, evhttp has one callback a request (on-complete) and one a connection
 * (close). Both are taken: a program that wants to know uses tel_evhttp_set_end_cb().
 *
 * Threads: one event loop, one thread, one shard. Several servers may share one tel_signals.
 * Memory: about 14 KiB a request that is open. Without memory for them the client gets a 503, which
 * all three signals show.
 * Source: OpenTelemetry semantic conventions 1.44, http/http-spans and http/http-metrics.
 *
 *     struct tel_evhttp *server = tel_evhttp_create(http, signals, 0);
 *     tel_evhttp_set_cb(server, "/hello", hello, NULL);
 *     tel_evhttp_serve_metrics(server, "/metrics");
 */
#ifndef TELEMETRY_EVHTTP_H
#define TELEMETRY_EVHTTP_H

#include <stddef.h>

#include "telemetry/signals.h"
#include "telemetry/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct evhttp;
struct evhttp_request;

struct tel_evhttp; /* an evhttp server whose requests are seen */

/* A callback as evhttp has it: answers the request now or later. */
typedef void tel_evhttp_cb_fn(struct evhttp_request *request, void *argument);

/* Takes over `http`, whose callbacks must not be set otherwise from now on; its thread records as
 * `shard`. A path without a callback gets a 404. The first one adds the http_server_* families to
 * the registry, so: before tel_signals_start(). Borrows both. NULL with errno EINVAL or ENOMEM. */
struct tel_evhttp *tel_evhttp_create(struct evhttp *http, struct tel_signals *signals,
                                     size_t shard);

/* Frees it, after evhttp_free(), which ends what is open. NULL is fine. */
void tel_evhttp_destroy(struct tel_evhttp *server);

/* As evhttp_set_cb(): `cb` gets the requests of a path, which is also their route in all signals.
 * Returns 0, -EEXIST when the path has a callback, -ENOMEM. */
int tel_evhttp_set_cb(struct tel_evhttp *server, const char *path, tel_evhttp_cb_fn *cb,
                      void *argument);

/* As evhttp_set_gencb(): `cb` gets all other requests, in place of the 404. They have no route unless
 * it sets one. */
void tel_evhttp_set_gencb(struct tel_evhttp *server, tel_evhttp_cb_fn *cb, void *argument);

/* Serves the registry at `path`, in the format that the scraper asks for, gzipped where it may be.
 * Returns as tel_evhttp_set_cb(). */
int tel_evhttp_serve_metrics(struct tel_evhttp *server, const char *path);

/* The span of a request that came through one of these callbacks, for attributes, events and
 * children; borrowed until the request ends. NULL for any other request. */
struct tel_span *tel_evhttp_get_span(const struct evhttp_request *request);

/* Says which route a request took, for a program that looks at paths itself: a pattern of low
 * cardinality ("/users/{id}"), static. It becomes the label, the attribute, the field, and part of
 * the span's name. */
void tel_evhttp_set_route(struct evhttp_request *request, const char *route);

/* Has `ended` called when the request has ended, however it did, right after it was recorded. For a
 * program that answers later or piecewise: what it sends afterwards reaches nobody. evhttp leaves it
 * a request whose connection went before evhttp_send_reply_end(), and frees it there; what is open at
 * evhttp_free() is freed by that. */
void tel_evhttp_set_end_cb(struct evhttp_request *request, void (*ended)(void *argument),
                           void *argument);

#ifdef __cplusplus
}
#endif

#endif
