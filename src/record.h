/*
 * The record of a finished exchange: one observation, one span, one log line, from the same facts.
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_RECORD_H
#define GLASSBOX_RECORD_H

#include "exchange.h"

/* Whether it was the service's failure, or nobody got the answer: a client's mistake, which is refused,
 * is not. The one rule, for the span's status, the log record's severity and the page. */
static inline bool record_is_failure(enum http_error error, uint16_t status)
{
    return status >= 500 || (error != HTTP_OK && !http_error_is_refusal(error));
}

/* Writes all three signals; called once an exchange, at its end. */
void record_exchange(struct exchange *exchange);

#endif
