/*
 * One HTTP connection to one address, carrying one POST after another, on evhttp's client.
 *
 * How it works: open makes it for an address, send puts a POST on it, which goes out as soon as it
 * stands. How that ended is noted in `outcome` and told through `ended`, once. A connection that
 * gave a whole answer and is_reusable() may be sent on again; any other must be closed.
 *
 * Threads: one owner, on its event loop. Memory: a struct of the owner; a body is borrowed until
 * its outcome or close; an answer holds at most TEL_EXPORT_RESPONSE_MAX bytes.
 * Failure: an outcome like any other. `connected` and `ended` run within evhttp: they must not call
 * back into the connection.
 */
#ifndef TEL_OTLP_CONNECTION_H
#define TEL_OTLP_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otlp/endpoint.h"
#include "otlp/headers.h"
#include "otlp/retry.h"
#include "otlp/tls.h"

#define TEL__REASON_MAX 640 /* bytes of a reason for people */

/* A body or a piece of one. */
struct tel__bytes {
    const void *data;
    size_t length;
};

struct event_base;
struct evdns_base;
struct evbuffer;
struct evhttp_connection;

enum tel__outcome_kind {
    TEL__OUTCOME_NONE,          /* still under way */
    TEL__OUTCOME_ANSWER,        /* status, retry_after and body are set */
    TEL__OUTCOME_NO_CONNECTION, /* it never stood */
    TEL__OUTCOME_STALE,         /* it was kept alive, and closed before a byte of an answer */
    TEL__OUTCOME_DISCONNECTED,  /* it ended before the answer did */
    TEL__OUTCOME_TIMEOUT,       /* it stood, but no whole answer came in time */
    TEL__OUTCOME_MALFORMED,     /* what came is not HTTP, or is too large */
};

struct tel__outcome {
    enum tel__outcome_kind kind;
    int status;
    /* The header's value, "" for none; one byte more than is looked at, so that a cut one is seen. */
    char retry_after[TEL__RETRY_AFTER_TEXT_MAX + 2];
    char reason[TEL__REASON_MAX]; /* for people, when there is no answer */
};

struct tel__connection_options {
    struct event_base *base;
    struct evdns_base *evdns;             /* so that evhttp asks nobody else */
    const struct tel__endpoint *endpoint; /* borrowed, and all below */
    const struct tel__headers *headers;
    struct tel__tls *tls; /* for https */
    const char *user_agent;
    const char *content_type;
    void (*connected)(void *argument);
    void (*ended)(void *argument);
    void *argument;
};

struct tel__connection {
    struct tel__connection_options options;
    struct evhttp_connection *evhttp; /* NULL: closed */
    struct bufferevent *bufferevent;  /* evhttp's */
    struct evbuffer *body;            /* of the answer */
    struct tel__outcome outcome;
    char address[INET6_ADDRSTRLEN];
    size_t due; /* bytes of the request under way, */
    size_t put; /* and those that evhttp gave out so far */
    bool connected;
    bool reused;   /* it carried an answer before */
    bool received; /* bytes came since the last send */
    bool closed;   /* its peer or evhttp has closed it */
};

/* Returns 0 or -ENOMEM. */
int tel__connection_init(struct tel__connection *connection,
                         const struct tel__connection_options *options);
void tel__connection_fini(struct tel__connection *connection);

/* Makes it for a numeric address, to be connected by the first send; when nobody uses it for
 * `idle_s` seconds it closes itself. Returns 0 or -ENOMEM. */
int tel__connection_open(struct tel__connection *connection, const char *address, unsigned idle_s);

/* Closes it, and what is under way ends without a call. */
void tel__connection_close(struct tel__connection *connection);

/* Whether another POST may be sent on it. */
bool tel__connection_is_reusable(const struct tel__connection *connection);

/* Why one that does not stand yet was given up for lack of time: a static text. */
const char *tel__connection_lateness(const struct tel__connection *connection);

/* Sends the pieces as the body of a POST. */
void tel__connection_send(struct tel__connection *connection, const struct tel__bytes *pieces,
                          size_t count, bool gzip);

#endif
