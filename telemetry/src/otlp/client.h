/*
 * An HTTP client for one endpoint: one POST at a time.
 *
 * How it works: a POST goes out on the connection left from the last one, or on a new one to the
 * first of the host's addresses that takes it:
 *
 *     post ─> resolve ─> connect (each address in turn) ─> send ─> answer
 *       └──────────────── kept-alive connection ────────────^
 *
 * The connection is made anew when files of TLS were replaced, and when it is old.
 *
 * Threads: one owner, on its event loop. Memory: the body is borrowed until the answer or cancel.
 * Failure: a POST always gets exactly one answer, never from within tel__client_post(), unless it
 * is cancelled. Nothing is retried here.
 */
#ifndef TEL_OTLP_CLIENT_H
#define TEL_OTLP_CLIENT_H

#include "otlp/connection.h"
#include "otlp/resolver.h"

#define TEL__CLIENT_PIECES_MAX 2 /* of a body */

struct tel__client;

/* `outcome` and `body` (NULL when there is none) are borrowed for the call, from the loop. */
typedef void tel__client_fn(const struct tel__outcome *outcome, const struct tel__bytes *body,
                            void *argument);

struct tel__client_options {
    struct event_base *base;
    const struct tel__endpoint *endpoint; /* borrowed, and all below */
    const struct tel__headers *headers;
    struct tel__tls *tls; /* for https */
    const char *user_agent;
    const char *content_type;
    tel__client_fn *answered;
    void *argument;
    struct tel__resolver_files files; /* none: the machine's */
    uint64_t max_age_ms;              /* of a connection that is used; 0: ten minutes */
};

/* NULL with errno ENOMEM. */
struct tel__client *tel__client_create(const struct tel__client_options *options);
/* Cancels what is under way. Turns the loop a few times. */
void tel__client_destroy(struct tel__client *client);

/* POSTs the pieces as one body; all of it, name lookup included, may take `timeout_ms`. None may be
 * under way. */
void tel__client_post(struct tel__client *client, const struct tel__bytes *pieces, size_t count,
                      bool gzip, uint32_t timeout_ms);

/* Gives up the POST under way, if any, with its connection; there will be no answer. */
void tel__client_cancel(struct tel__client *client);

#endif
