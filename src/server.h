/*
 * The server: listeners on the main thread, workers that serve, and who gets which connection.
 *
 * How it works: the main thread accepts on every public listener and hands each connection to the
 * worker with the fewest. Above the connection limit a connection is answered 503 and closed. The
 * operators' listener is served by the main thread itself, with descriptors kept in reserve, so
 * that an overload of the public port never fails a probe.
 *
 * Threads: the main thread; from server_connections() on in this header: any, until server_stop().
 */
#ifndef GLASSBOX_SERVER_H
#define GLASSBOX_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"
#include "instruments.h"

struct event_base;
struct server;
struct service;

/* A loop that has not turned for so long is stuck: /livez says so. */
#define SERVER_STUCK_NS 10000000000ull

/* Binds every listener, before anything else is touched: a second process on the same address must
 * not get as far as the first one's files. Returns NULL with errno; the reason has been told. */
struct server *server_create(struct service *service, struct event_base *base);

/* Starts the workers and begins to accept. The telemetry of the service is there. Returns 0 or a
 * negative errno; what can be told has been told. */
int server_start(struct server *server);

/* The state of the process has changed to draining: each answer from now on is its connection's last,
 * so that clients go elsewhere by themselves, and whoever looks at the live page is told. */
void server_leave(struct server *server);

/* Takes what the kernel has queued, closes the public listeners, and tells all workers to drain. */
void server_drain(struct server *server);

/* Whether a public connection is open or on its way to a worker. */
bool server_is_idle(const struct server *server);

/* Ends the workers (what is in flight ends as `shutdown`), then the operators' side. Twice is fine. */
void server_stop(struct server *server);

/* Stops it if need be, and frees it; NULL is fine. */
void server_destroy(struct server *server);

/* Connections of a listener that are open or on their way to a worker. */
uint64_t server_connections(const struct server *server, enum listener_label label);

/* Public connections above which new ones are refused: --max-connections, or what descriptors allow. */
size_t server_connections_limit(const struct server *server);

/* Adds up the HTTP engines of all threads. */
void server_get_stats(const struct server *server, struct http_engine_stats *stats);
/* CPU time of the thread with this shard number, in nanoseconds. */
uint64_t server_thread_cpu_ns(const struct server *server, size_t shard);
/* Label of a thread whose loop has not turned for SERVER_STUCK_NS, or NULL. */
const char *server_stuck_thread(const struct server *server);

#endif
