/*
 * An engine on one end of a socket pair, a test on the other.
 *
 * What it is for: bytes in, bytes out, and in the same case the sequence of calls the service saw.
 *
 * How it works: a test sends bytes in pieces of a size it chooses, turns the loop after each, and
 * compares what came back (without the Date header, which is checked and cut out) and the log, a
 * line an exchange:
 *
 *     open handle GET /path 200 ok
 *     open GET /path 408 body_timeout        refused after open
 *     open handle abandoned GET /later - client_disconnected
 *
 * The service answers by path: `/later` only when harness_answer() is called; `/echo` with the body
 * it asked for, `/little` the same but with HARNESS_LITTLE bytes of it at most; `/stream` and
 * `/stream204` with a stream, which waits among those of `/later` for the test to go on with it; `/big` with HARNESS_BIG bytes; `/close` with response.close; `/204` and `/304` with
 * that status; `/reset` with a reset; all others with "hello\n". A query of `cut` cuts the answer.
 */
#ifndef HARNESS_H
#define HARNESS_H

/* cmocka.h wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "http/http.h"

#define HARNESS_BIG    4000000
#define HARNESS_LITTLE 4
#define HARNESS_WAITS  160 /* exchanges on /later and /stream at a time */

struct harness {
    struct event_base *base;
    struct http_engine *engine;
    struct http_limits limits;
    struct http_service service;
    int client;           /* the test's end; -1: closed */
    bool ended;           /* the engine's end was seen */
    bool reset;           /* by a reset */
    bool in_call;         /* the test is within a call of its own to a stream */
    bool keeps_abandoned; /* the service does not respond when told that the client has gone */
    char *out;            /* what came back, Date cut out, NUL-terminated */
    size_t out_length;
    struct tel_buffer raw;
    struct tel_buffer log;
    struct http_exchange *waiting[HARNESS_WAITS];
    size_t waiting_count;
    struct http_exchange last; /* a copy of the members of the last closed exchange */
};

/* Starts with roomy limits and one connection. */
void harness_init(struct harness *harness);
/* The same with the limits as set in harness->limits by the caller after harness_defaults. */
void harness_defaults(struct http_limits *limits);
void harness_init_with(struct harness *harness, const struct http_limits *limits);
void harness_fini(struct harness *harness);

/* The service that answers as above, its calls to be replaced by a test that likes. */
struct http_service harness_service(struct harness *harness);

/* Another connection in place of the one at hand, which is closed on the test's side. */
void harness_connect(struct harness *harness);
/* The same over TCP, where there are resets. */
void harness_connect_tcp(struct harness *harness);

/* Sends `length` bytes, `piece` at a time (0: all at once), turning the loop after each piece. */
void harness_send(struct harness *harness, const char *bytes, size_t length, size_t piece);
void harness_send_text(struct harness *harness, const char *text);
/* Sends without turning the loop; returns what the socket took. */
size_t harness_push(struct harness *harness, const char *bytes, size_t length);

/* Turns the loop until nothing happens, taking what comes back. */
void harness_turn(struct harness *harness);
/* Turns the loop, waiting, until the engine's end was seen; fails after some seconds. */
void harness_wait_end(struct harness *harness);
/* Turns the loop, waiting, until the log has `lines` lines; fails after some seconds. */
void harness_wait_log(struct harness *harness, size_t lines);
/* Turns the loop without reading what comes back. */
void harness_turn_unread(struct harness *harness);

/* The test's end: FIN, or closed. */
void harness_half_close(struct harness *harness);
void harness_close(struct harness *harness);

/* Answers the oldest exchange on /later, or ends its stream. */
void harness_answer(struct harness *harness);

/* Compares and forgets. */
void harness_expect_out(struct harness *harness, const char *expected);
void harness_expect_log(struct harness *harness, const char *expected);
size_t harness_log_lines(const struct harness *harness);

/* The bytes of a refusal: "400 Bad Request", its detail, further headers or "". A static buffer. */
const char *harness_refusal(const char *status, const char *detail, const char *headers);

struct http_engine_stats harness_stats(const struct harness *harness);

/* What "hello\n" looks like, kept alive and as the last. */
#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"
#define HELLO_CLOSE                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: " \
    "close\r\n\r\nhello\n"
#define HELLO_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"

#endif
