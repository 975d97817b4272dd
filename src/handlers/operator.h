/*
 * Who may use the fault API: whoever sends the bearer token of --fault-token-file.
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_HANDLERS_OPERATOR_H
#define GLASSBOX_HANDLERS_OPERATOR_H

#include <stdbool.h>

struct exchange;

/* Whether the request may go on. False: it was answered (404 while the API is off, 401, or 503 when
 * the token cannot be read) and must not be touched. */
bool operator_is_allowed(struct exchange *exchange);

/* Answers 200 with what is in force. */
void operator_answer_faults(struct exchange *exchange);

#endif
