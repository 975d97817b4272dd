/*
 * When to try again: exponential backoff with jitter, or when the collector says.
 *
 * How it works: the n-th wait is FIRST * 1.5^n up to MAX, made a fifth longer or shorter by chance,
 * so that a fleet that lost its collector together does not come back together. Retry-After
 * replaces the wait: at least what it says, a tenth more by chance.
 *
 * Threads: pure functions.
 * Source: opentelemetry-proto docs/specification.md ("All Responses", "Throttling"); RFC 9110 5.6.7
 * and 10.2.3.
 */
#ifndef TEL_OTLP_RETRY_H
#define TEL_OTLP_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEL__RETRY_FIRST_MS       1000
#define TEL__RETRY_MAX_MS         5000
#define TEL__RETRY_AFTER_MIN_MS   100    /* nor make us spin */
#define TEL__RETRY_AFTER_MAX_MS   600000 /* a collector cannot mute us for longer */
#define TEL__RETRY_AFTER_TEXT_MAX 64     /* bytes of a Retry-After that is looked at */

/* Milliseconds to wait before the retry that follows `failures` (1 or more) failed attempts;
 * `random` is any 64 random bits. */
uint32_t tel__retry_backoff_ms(unsigned failures, uint64_t random);

/* Milliseconds to wait when the collector asked for `delay_ms`. */
uint32_t tel__retry_after_wait_ms(uint32_t delay_ms, uint64_t random);

/* Whether OTLP lets a POST be repeated after this HTTP status. */
bool tel__retry_is_retryable(int status);

/* Reads a Retry-After value, seconds or one of HTTP's three date formats, at wall time
 * `now_wall_s` (seconds since the epoch). *delay_ms is capped at TEL__RETRY_AFTER_MAX_MS; a date
 * that has passed gives 0. Returns 0 or -EINVAL. */
int tel__retry_after_parse(const char *value, size_t length, int64_t now_wall_s,
                           uint32_t *delay_ms);

#endif
