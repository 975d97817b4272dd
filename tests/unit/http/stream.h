/*
 * What the tests of streams share: the oldest stream of a harness, spoken for.
 */
#ifndef STREAM_H
#define STREAM_H

#include <string.h>

#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD_OF_STREAM \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
#define HEAD_OF_LAST                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnect" \
    "ion: close\r\n\r\n"

static char piece[HTTP_STREAM_PIECE_BYTES];

/* The oldest stream. */
static inline struct http_exchange *stream_of(const struct harness *harness)
{
    assert_true(harness->waiting_count > 0);
    assert_true(harness->waiting[0]->streamed);
    return harness->waiting[0];
}

static inline void say(struct harness *harness, const char *bytes, size_t length)
{
    struct http_exchange *stream = stream_of(harness);
    assert_true(http_stream_is_clear(stream));
    harness->in_call = true;
    http_stream_send(stream, bytes, length);
    harness->in_call = false;
}

static inline void say_text(struct harness *harness, const char *text)
{
    say(harness, text, strlen(text));
}

/* Pieces until the socket is full, read by nobody; returns the bytes given. */
static inline size_t fill(struct harness *harness)
{
    size_t given = 0;
    memset(piece, 'p', sizeof piece);
    while (http_stream_is_clear(stream_of(harness))) {
        assert_true(given < 64 * sizeof piece);
        say(harness, piece, sizeof piece);
        given += sizeof piece;
    }
    return given;
}

#endif
