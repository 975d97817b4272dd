/*
 * The record of a finished exchange: one observation, one span, one log line, from the same facts.
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_RECORD_H
#define GLASSBOX_RECORD_H

#include "exchange.h"

/* Writes all three signals; called once an exchange, at its end. */
void record_exchange(struct exchange *exchange);

#endif
