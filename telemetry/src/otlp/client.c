/*
 * The phases of a POST, each with an end of its own:
 *
 *     RESOLVING ──found──> CONNECTING ──connected──> SENDING ──ended──> answered
 *         └─not found           └─refused: next address     └─timeout
 *
 * Connection and resolver call back from within themselves. So what they say is only noted, and
 * `step`, an event of our own, goes on from there, out of the loop, with nobody half alive above it
 * on the stack. `stop` is the one place where a POST ends; every timer is off afterwards.
 *
 * A host with several addresses gives each an equal share of the time that is left, and no more than
 * ADDRESS_MS to one that others come after, so one that swallows packets does not use up their
 * chance; and the next connection tries it last.
 *
 * A connection that works is nevertheless made anew after AGE_MAX_S: else a name that leads
 * elsewhere by now, or a certificate that has expired meanwhile, would never be noticed.
 */
#include "otlp/client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/clock.h"

#define IDLE_S     90   /* a connection nobody uses is closed */
#define AGE_MAX_S  600  /* and one that is used is made anew */
#define LAST_TURNS 2    /* of the loop, at the end */
#define ADDRESS_MS 2000 /* for an address that is not the last */

enum phase { PHASE_IDLE, PHASE_RESOLVING, PHASE_CONNECTING, PHASE_SENDING };

struct tel__client {
    struct tel__client_options options;
    struct tel__resolver *resolver;
    struct tel__connection connection;
    struct event *step;
    struct event *timeout;       /* of the POST */
    struct event *connect_limit; /* of one address */
    enum phase phase;
    uint64_t deadline_ns;
    struct tel__bytes pieces[TEL__CLIENT_PIECES_MAX];
    size_t piece_count;
    bool gzip;
    struct tel__addresses addresses;
    size_t address; /* the one being tried */
    struct tel__avoided avoided;
    char failures[TEL__REASON_MAX]; /* of the addresses tried before it */
    uint64_t opened_ns;             /* when the connection was made */
    struct tel__outcome outcome;    /* when it is not the connection's */
};

static uint64_t time_left_ms(const struct tel__client *client)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    return now_ns < client->deadline_ns ? (client->deadline_ns - now_ns) / TEL_NS_PER_MS : 0;
}

static void start_timer(struct event *timer, uint64_t wait_ms)
{
    struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
                           .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    event_add(timer, &wait);
}

/* ---- the end of a POST --------------------------------------------------------------------- */

static void stop(struct tel__client *client)
{
    client->phase = PHASE_IDLE;
    event_del(client->step);
    event_del(client->timeout);
    event_del(client->connect_limit);
    tel__resolver_cancel(client->resolver);
}

/* What a POST's end says of the address it went to. A connection that was left unused too long says
 * nothing. */
static void note_address(struct tel__client *client, enum tel__outcome_kind kind)
{
    const char *address = client->connection.address;
    if (kind == TEL__OUTCOME_ANSWER) {
        tel__avoided_remove(&client->avoided, address);
    } else if (kind != TEL__OUTCOME_STALE && client->phase != PHASE_RESOLVING) {
        tel__avoided_add(&client->avoided, address, tel_clock_monotonic_ns());
    }
}

static void finish(struct tel__client *client, struct tel__outcome *outcome)
{
    struct evbuffer *input = client->connection.body;
    struct tel__bytes body = {.length = evbuffer_get_length(input)};
    note_address(client, outcome->kind);
    stop(client);
    if (outcome->kind == TEL__OUTCOME_ANSWER && body.length > 0) {
        body.data = evbuffer_pullup(input, -1);
        if (body.data == NULL) {
            snprintf(outcome->reason, sizeof(outcome->reason), "no memory for the answer");
            outcome->kind = TEL__OUTCOME_MALFORMED;
        }
    }
    if (!tel__connection_is_reusable(&client->connection)) {
        tel__connection_close(&client->connection);
    }
    client->options.answered(outcome, &body, client->options.argument);
}

static void explain(struct tel__client *client, enum tel__outcome_kind kind, const char *reason)
{
    client->outcome = (struct tel__outcome){.kind = kind};
    snprintf(client->outcome.reason, sizeof(client->outcome.reason), "%s: %s",
             client->options.endpoint->host, reason);
}

/* No connection was made, and there is no other address: ends it from `step`. */
static void give_up(struct tel__client *client, const char *reason)
{
    explain(client, TEL__OUTCOME_NO_CONNECTION, reason);
    event_active(client->step, EV_TIMEOUT, 0);
}

/* ---- its way ------------------------------------------------------------------------------- */

/* How long the current address may take to take the connection. */
static uint64_t share_ms(const struct tel__client *client, uint64_t left_ms)
{
    size_t others = client->addresses.count - client->address - 1;
    uint64_t share = left_ms / (others + 1);
    return others > 0 && share > ADDRESS_MS ? ADDRESS_MS : share;
}

static void try_address(struct tel__client *client)
{
    uint64_t left_ms = time_left_ms(client);
    client->phase = PHASE_CONNECTING;
    client->opened_ns = tel_clock_monotonic_ns();
    if (tel__connection_open(&client->connection, client->addresses.text[client->address],
                             IDLE_S + (unsigned)(left_ms / 1000)) != 0) {
        give_up(client, "no memory for a connection");
        return;
    }
    start_timer(client->connect_limit, share_ms(client, left_ms));
    tel__connection_send(&client->connection, client->pieces, client->piece_count, client->gzip);
}

static void on_found(const struct tel__addresses *addresses, const char *reason, void *argument)
{
    struct tel__client *client = argument;
    client->addresses = *addresses;
    client->address = 0;
    client->failures[0] = '\0';
    tel__avoided_sort(&client->avoided, &client->addresses, tel_clock_monotonic_ns());
    if (addresses->count == 0) {
        give_up(client, reason);
        return;
    }
    try_address(client);
}

static void on_connected(void *argument)
{
    struct tel__client *client = argument;
    if (client->phase == PHASE_CONNECTING) {
        client->phase = PHASE_SENDING;
        event_del(client->connect_limit);
    }
}

static void on_ended(void *argument)
{
    struct tel__client *client = argument;
    if (client->phase != PHASE_IDLE) {
        event_active(client->step, EV_TIMEOUT, 0);
    }
}

/* The current address did not take the connection: goes on with the next one. Without one it is the
 * end, and *outcome tells of all that were tried. */
static void try_next_address(struct tel__client *client, const char *failure)
{
    size_t length = strlen(client->failures);
    snprintf(client->failures + length, sizeof(client->failures) - length, "%s%s",
             length > 0 ? "; " : "", failure);
    if (client->address + 1 < client->addresses.count) {
        note_address(client, TEL__OUTCOME_NO_CONNECTION);
        client->address++;
        try_address(client);
        return;
    }
    client->outcome = (struct tel__outcome){.kind = TEL__OUTCOME_NO_CONNECTION};
    memcpy(client->outcome.reason, client->failures, sizeof(client->failures));
    finish(client, &client->outcome);
}

static void on_step(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__client *client = argument;
    struct tel__outcome *outcome = &client->connection.outcome;
    if (client->outcome.kind != TEL__OUTCOME_NONE) {
        finish(client, &client->outcome);
    } else if (outcome->kind == TEL__OUTCOME_NO_CONNECTION && client->phase == PHASE_CONNECTING) {
        try_next_address(client, outcome->reason);
    } else if (outcome->kind != TEL__OUTCOME_NONE) {
        finish(client, outcome);
    }
}

/* The address has had its time. */
static void give_up_address(struct tel__client *client)
{
    char failure[TEL__REASON_MAX];
    snprintf(failure, sizeof(failure), "%s: %s", client->connection.address,
             tel__connection_lateness(&client->connection));
    try_next_address(client, failure);
}

static void on_connect_limit(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__client *client = argument;
    if (client->connection.outcome.kind == TEL__OUTCOME_NONE) { /* else `step` is due */
        give_up_address(client);
    }
}

static void on_timeout(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__client *client = argument;
    if (client->outcome.kind != TEL__OUTCOME_NONE ||
        (client->phase != PHASE_RESOLVING &&
         client->connection.outcome.kind != TEL__OUTCOME_NONE)) {
        return; /* it ended a moment ago: `step` is due */
    }
    if (client->phase == PHASE_CONNECTING) {
        client->address = client->addresses.count - 1; /* there is no time for the others */
        give_up_address(client);
        return;
    }
    bool resolving = client->phase == PHASE_RESOLVING;
    explain(client, resolving ? TEL__OUTCOME_NO_CONNECTION : TEL__OUTCOME_TIMEOUT,
            resolving ? "the name was not resolved in time" : "no answer in time");
    finish(client, &client->outcome);
}

/* ---- public -------------------------------------------------------------------------------- */

static int init_connection(struct tel__client *client)
{
    const struct tel__client_options *options = &client->options;
    return tel__connection_init(&client->connection,
                                &(struct tel__connection_options){
                                    .base = options->base,
                                    .evdns = tel__resolver_evdns(client->resolver),
                                    .endpoint = options->endpoint,
                                    .headers = options->headers,
                                    .tls = options->tls,
                                    .user_agent = options->user_agent,
                                    .content_type = options->content_type,
                                    .connected = on_connected,
                                    .ended = on_ended,
                                    .argument = client,
                                });
}

struct tel__client *tel__client_create(const struct tel__client_options *options)
{
    struct tel__client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return NULL;
    }
    client->options = *options;
    client->step = event_new(options->base, -1, 0, on_step, client);
    client->timeout = evtimer_new(options->base, on_timeout, client);
    client->connect_limit = evtimer_new(options->base, on_connect_limit, client);
    client->resolver = tel__resolver_create(options->base, &options->files, on_found, client);
    if (client->step == NULL || client->timeout == NULL || client->connect_limit == NULL ||
        client->resolver == NULL || init_connection(client) != 0) {
        tel__client_destroy(client);
        errno = ENOMEM;
        return NULL;
    }
    return client;
}

void tel__client_destroy(struct tel__client *client)
{
    if (client == NULL) {
        return;
    }
    tel__client_cancel(client);
    tel__connection_fini(&client->connection);
    for (int i = 0; i < LAST_TURNS; i++) { /* a callback that is due holds the bufferevent of TLS */
        event_base_loop(client->options.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    tel__resolver_destroy(client->resolver);
    struct event *const events[] = {client->step, client->timeout, client->connect_limit};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    free(client);
}

/* Whether the connection left from the last POST may carry another. */
static bool is_good(struct tel__client *client)
{
    uint64_t limit_ms =
        client->options.max_age_ms > 0 ? client->options.max_age_ms : AGE_MAX_S * 1000ull;
    bool renewed = client->options.tls != NULL && tel__tls_refresh(client->options.tls);
    return !renewed && tel__connection_is_reusable(&client->connection) &&
           tel_clock_monotonic_ns() - client->opened_ns < limit_ms * TEL_NS_PER_MS;
}

void tel__client_post(struct tel__client *client, const struct tel__bytes *pieces, size_t count,
                      bool gzip, uint32_t timeout_ms)
{
    memcpy(client->pieces, pieces, count * sizeof(*pieces));
    client->piece_count = count;
    client->gzip = gzip;
    client->outcome = (struct tel__outcome){0};
    client->deadline_ns = tel_clock_monotonic_ns() + timeout_ms * TEL_NS_PER_MS;
    start_timer(client->timeout, timeout_ms);
    if (is_good(client)) {
        client->phase = PHASE_SENDING;
        tel__connection_send(&client->connection, pieces, count, gzip);
        return;
    }
    tel__connection_close(&client->connection);
    client->phase = PHASE_RESOLVING;
    tel__resolver_start(client->resolver, client->options.endpoint->host);
}

void tel__client_cancel(struct tel__client *client)
{
    if (client->phase != PHASE_IDLE) {
        stop(client);
        tel__connection_close(&client->connection);
    }
}
