/*
 * A refuser: tells surplus connections 503 so that they read it.
 *
 * Closing at once would reset the connection when the client's request arrives, and the reset can
 * overtake the answer. So a refused connection is half-closed and read from, without looking, until
 * the client closes or REFUSER_LINGER_MS have passed. At most `slots` linger at a time; beyond
 * that a connection is answered and closed.
 *
 * Threads: the main thread.
 */
#ifndef GLASSBOX_REFUSER_H
#define GLASSBOX_REFUSER_H

#include <stddef.h>

#define REFUSER_SLOTS     32
#define REFUSER_LINGER_MS 1000

#define REFUSER_ANSWER_BYTES 320

struct event_base;
struct refuser;

/* Writes the whole answer, with the time of day; returns its length. Any thread. */
size_t refuser_compose(char out[REFUSER_ANSWER_BYTES]);

/* A refuser with up to REFUSER_SLOTS slots. NULL with errno ENOMEM. */
struct refuser *refuser_create(struct event_base *base, size_t slots);
void refuser_destroy(struct refuser *refuser);

/* Answers and takes over the socket. */
void refuser_refuse(struct refuser *refuser, int fd);

#endif
