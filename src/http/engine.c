/*
 * One thread's connections, and what they share: the clock's last reading, the cached Date, the
 * buffers bytes pass through, the pools, the sweep of deadlines, the turns of those not done yet.
 *
 * The sweep is one timer a tick for all connections, and only while there are any, or memory that a
 * crowd has left behind. Connections that
 * have had their turn with bytes left go to the list `ready`; a timer of zero takes it up in the
 * loop's next turn, after the other sockets have been looked at.
 *
 * Invariant: a connection is in `connections` from adopt until engine_release(), which only
 * connection_leave() calls, and in `ready` exactly while its own `ready` is set.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/internal.h"
#include "telemetry/clock.h"

/* Free blocks that stay through a calm time. */
#define KEEP_EXCHANGES 32
#define KEEP_HELD      4

/* ---- the clock ------------------------------------------------------------------------------- */

void engine_read_clock(struct http_connection *connection)
{
    connection->clock_ns = tel_clock_monotonic_ns();
    connection->engine->now_ns = connection->clock_ns;
}

/* strftime(3) would write the names in the locale's language. */
static void format_date(char out[HTTP_DATE_LENGTH], time_t seconds)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[96];
    struct tm utc;
    gmtime_r(&seconds, &utc);
    snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday],
             utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
             utc.tm_sec);
    memcpy(out, text, HTTP_DATE_LENGTH);
}

const char *engine_date(struct http_engine *engine)
{
    if (engine->now_ns >= engine->date_until_ns) {
        const uint64_t wall_ns = tel_clock_wall_ns();
        format_date(engine->date, (time_t)(wall_ns / TEL_NS_PER_SECOND));
        engine->date_until_ns = engine->now_ns + TEL_NS_PER_SECOND - wall_ns % TEL_NS_PER_SECOND;
    }
    return engine->date;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static size_t exchange_bytes(const struct http_limits *limits)
{
    return sizeof(struct exchange) + (limits->header_count + 1) * sizeof(struct http_field) +
           limits->head_bytes + HTTP_HEAD_SLACK;
}

static void construct_exchange(void *block)
{
    struct exchange *exchange = block;
    tel_buffer_init(&exchange->shared.request.body, 0);
    tel_buffer_init(&exchange->out, 0);
}

static void destruct_exchange(void *block)
{
    struct exchange *exchange = block;
    tel_buffer_fini(&exchange->shared.request.body);
    tel_buffer_fini(&exchange->out);
}

struct exchange *engine_take_exchange(struct http_engine *engine, bool *spare)
{
    struct exchange *exchange = pool_take(&engine->exchange_pool);
    *spare = exchange == NULL;
    if (*spare) {
        exchange = engine->spare;
        engine->spare = NULL;
    }
    return exchange;
}

void engine_clear_buffer(struct tel_buffer *buffer)
{
    if (buffer->capacity > HTTP_RETAINED_BYTES) {
        tel_buffer_fini(buffer);
    } else {
        tel_buffer_clear(buffer);
    }
}

void engine_give_exchange(struct http_engine *engine, struct exchange *exchange)
{
    engine_clear_buffer(&exchange->shared.request.body);
    engine_clear_buffer(&exchange->out);
    if (engine->spare == NULL) {
        engine->spare = exchange; /* the reserve is filled up first */
    } else {
        pool_give(&engine->exchange_pool, exchange);
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

void engine_defer(struct http_connection *connection)
{
    static const struct timeval at_once = {0, 0};
    struct http_engine *engine = connection->engine;
    if (engine->ending) {
        return;
    }
    if (engine->ready == NULL) {
        event_add(engine->resume, &at_once);
        engine->ready_tail = &engine->ready;
    }
    connection->ready = true;
    connection->ready_next = NULL;
    *engine->ready_tail = connection;
    engine->ready_tail = &connection->ready_next;
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    struct http_engine *engine = argument;
    struct http_connection *connection = engine->ready;
    (void)fd;
    (void)what;
    engine->ready = NULL; /* who is not done goes into a new list, for the turn after this one */
    while (connection != NULL) {
        struct http_connection *next = connection->ready_next;
        connection->ready = false;
        connection_ready(connection);
        connection = next;
    }
}

/* Returns whether there is more to give back. */
static bool trim_pools(struct http_engine *engine)
{
    const bool exchanges = pool_trim(&engine->exchange_pool);
    const bool held = pool_trim(&engine->held_pool);
    return exchanges || held;
}

static void expire(struct timeout *timeout, void *argument)
{
    struct http_engine *engine = argument;
    struct http_connection *connection =
        (struct http_connection *)((char *)timeout - offsetof(struct http_connection, timeout));
    connection->clock_ns = engine->now_ns;
    connection_expired(connection);
}

static void on_sweep(evutil_socket_t fd, short what, void *argument)
{
    struct http_engine *engine = argument;
    (void)fd;
    (void)what;
    engine->now_ns = tel_clock_monotonic_ns();
    timeouts_expire(&engine->timeouts, engine->now_ns, expire, engine);
    if (!trim_pools(engine) && engine->connections == NULL) {
        event_del(engine->sweep);
    }
}

/* The first connection starts the sweep. */
static void enlist(struct http_engine *engine, struct http_connection *connection)
{
    static const struct timeval tick = {.tv_usec = TIMEOUT_TICK_NS / TEL_NS_PER_US};
    if (engine->connections == NULL) {
        timeouts_restart(&engine->timeouts, engine->now_ns);
        event_add(engine->sweep, &tick);
    }
    connection->link = &engine->connections;
    connection->next = engine->connections;
    if (connection->next != NULL) {
        connection->next->link = &connection->next;
    }
    engine->connections = connection;
    count_add(&engine->connection_count, 1);
}

void engine_release(struct http_connection *connection)
{
    struct http_engine *engine = connection->engine;
    *connection->link = connection->next;
    if (connection->next != NULL) {
        connection->next->link = connection->link;
    }
    if (connection->served == 0) {
        count_add(&engine->without_request, 1);
    }
    count_add(&engine->connection_count, UINT64_MAX);
    count_add(&engine->closed, 1);
    slabs_give(&engine->connection_slabs, connection);
}

/* ---- http.h ---------------------------------------------------------------------------------- */

static struct http_engine *fail(struct http_engine *engine)
{
    http_engine_destroy(engine);
    errno = ENOMEM;
    return NULL;
}

struct http_engine *http_engine_create(struct event_base *base, const struct http_limits *limits,
                                       const struct http_service *service)
{
    struct http_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return NULL;
    }
    engine->base = base;
    engine->limits = limits;
    engine->service = service;
    engine->now_ns = tel_clock_monotonic_ns();
    timeouts_init(&engine->timeouts, engine->now_ns);
    slabs_init(&engine->connection_slabs, sizeof(struct http_connection));
    pool_init(&engine->exchange_pool, exchange_bytes(limits), KEEP_EXCHANGES);
    engine->exchange_pool.construct = construct_exchange;
    engine->exchange_pool.destruct = destruct_exchange;
    pool_init(&engine->held_pool, HTTP_RECEIVE_BYTES, KEEP_HELD);
    tel_buffer_init(&engine->out, HTTP_OUT_BYTES_MAX);
    engine->scratch = malloc(HTTP_RECEIVE_BYTES);
    engine->spare = pool_take(&engine->exchange_pool);
    engine->sweep = event_new(base, -1, EV_PERSIST, on_sweep, engine);
    engine->resume = event_new(base, -1, 0, on_resume, engine);
    if (engine->scratch == NULL || engine->spare == NULL || engine->sweep == NULL ||
        engine->resume == NULL) {
        return fail(engine);
    }
    return engine;
}

void http_engine_destroy(struct http_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    engine->ending = true;
    while (engine->ready != NULL) {
        engine->ready->ready = false;
        engine->ready = engine->ready->ready_next;
    }
    while (engine->connections != NULL) {
        connection_shutdown(engine->connections);
    }
    if (engine->sweep != NULL) {
        event_free(engine->sweep);
    }
    if (engine->resume != NULL) {
        event_free(engine->resume);
    }
    if (engine->spare != NULL) {
        pool_give(&engine->exchange_pool, engine->spare);
    }
    slabs_fini(&engine->connection_slabs);
    pool_fini(&engine->exchange_pool);
    pool_fini(&engine->held_pool);
    tel_buffer_fini(&engine->out);
    free(engine->scratch);
    free(engine);
}

static void copy_address(union address *to, const struct sockaddr *from)
{
    *to = (union address){.any = {.sa_family = AF_UNSPEC}};
    if (from != NULL && from->sa_family == AF_INET) {
        memcpy(&to->v4, from, sizeof to->v4);
    } else if (from != NULL && from->sa_family == AF_INET6) {
        memcpy(&to->v6, from, sizeof to->v6);
    }
}

static bool is_wildcard(const union address *address)
{
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    return address->any.sa_family == AF_INET6
               ? memcmp(&address->v6.sin6_addr, &any, sizeof any) == 0
               : address->any.sa_family != AF_INET || address->v4.sin_addr.s_addr == INADDR_ANY;
}

int http_engine_adopt(struct http_engine *engine, int fd, const struct sockaddr *peer,
                      const struct sockaddr *listener)
{
    struct http_connection *connection = slabs_take(&engine->connection_slabs);
    if (connection == NULL) {
        close(fd);
        count_add(&engine->closed, 1);
        return -ENOMEM;
    }
    *connection = (struct http_connection){.engine = engine, .fd = fd};
    timeout_init(&connection->timeout);
    copy_address(&connection->peer, peer);
    copy_address(&connection->local, listener);
    connection->local_known = !is_wildcard(&connection->local);
    engine_read_clock(connection);
    enlist(engine, connection);
    return connection_start(connection);
}

void http_engine_leave(struct http_engine *engine)
{
    engine->leaving = true;
}

void http_engine_drain(struct http_engine *engine)
{
    struct http_connection *connection = engine->connections;
    engine->leaving = true;
    engine->draining = true;
    while (connection != NULL) {
        struct http_connection *next = connection->next;
        connection_drain(connection);
        connection = next;
    }
}

void http_engine_get_stats(const struct http_engine *engine, struct http_engine_stats *stats)
{
    *stats = (struct http_engine_stats){
        .connections = atomic_load_explicit(&engine->connection_count, memory_order_relaxed),
        .exchanges = atomic_load_explicit(&engine->exchange_count, memory_order_relaxed),
        .closed = atomic_load_explicit(&engine->closed, memory_order_acquire),
        .idle_closed = atomic_load_explicit(&engine->idle_closed, memory_order_relaxed),
        .without_request = atomic_load_explicit(&engine->without_request, memory_order_relaxed),
        .drained = atomic_load_explicit(&engine->drained, memory_order_relaxed),
        .lost = atomic_load_explicit(&engine->lost, memory_order_relaxed),
    };
}

const struct sockaddr *http_exchange_peer(const struct http_exchange *exchange)
{
    return &exchange->connection->peer.any;
}

const struct sockaddr *http_exchange_local(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    if (!connection->local_known && connection->fd >= 0) {
        struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
        socklen_t length = sizeof name;
        connection->local_known = true;
        if (getsockname(connection->fd, (struct sockaddr *)&name, &length) == 0 &&
            (name.ss_family == AF_INET || name.ss_family == AF_INET6)) {
            copy_address(&connection->local, (struct sockaddr *)&name);
        }
    }
    return &connection->local.any;
}
