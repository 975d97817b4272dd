/*
 * The attributes of a finished request, by the names of the OpenTelemetry semantic conventions: its
 * span has them, and so has its log record.
 *
 * How it works: each attribute is put by one line of attributes.c, wherever it goes: on a span, or
 * into a list.
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
    size_t count;
    struct tel_attribute items[ATTRIBUTES_MAX];
    char server[PEER_HOST_BYTES];
    char peer[PEER_HOST_BYTES];
};

/* What the request was and how it ended: `status` as it was sent (0: nothing was), `query` as it may
 * be shown. On a span, which copies them. */
void attributes_set(struct tel_span *span, const struct exchange *exchange, uint16_t status,
                    struct http_slice query);
/* The same as a list. */
void attributes_list(struct attributes *list, const struct exchange *exchange, uint16_t status,
                     struct http_slice query);

/* Add one more; what finds no room is left out. */
void attributes_add_int(struct attributes *list, const char *key, int64_t value);
void attributes_add_double(struct attributes *list, const char *key, double value);

#endif
