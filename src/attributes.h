/*
 * The attributes of a finished request, by the names of the OpenTelemetry semantic conventions: its
 * span has them, and so has its log record.
 *
 * How it works: each attribute is put by one line of attributes.c, wherever it goes: into a span at
 * once, or into a list that borrows.
 *
 * Threads: the site's own.
 * Memory: a list borrows from the exchange and from itself; it must not outlive either.
 * Source: semantic conventions 1.44, http/http-spans.
 */
#ifndef GLASSBOX_ATTRIBUTES_H
#define GLASSBOX_ATTRIBUTES_H

#include "exchange.h"
#include "peer.h"
#include "telemetry/trace.h"

#define ATTRIBUTES_MAX 24

struct attributes {
    struct tel_span *span; /* where they go, or NULL: into the list */
    size_t count;
    struct tel_attribute list[ATTRIBUTES_MAX];
    char server[PEER_HOST_BYTES];
    char peer[PEER_HOST_BYTES];
};

void attributes_put_text(struct attributes *attributes, const char *key, const char *value,
                         size_t length);
void attributes_put_int(struct attributes *attributes, const char *key, int64_t value);
void attributes_put_double(struct attributes *attributes, const char *key, double value);

/* Puts what the request was, and how it ended: `status` as it was sent (0: nothing was), `query` as
 * it may be shown. `span` or `count` must be set before. */
void attributes_put_exchange(struct attributes *attributes, const struct exchange *exchange,
                             uint16_t status, struct http_slice query);

#endif
