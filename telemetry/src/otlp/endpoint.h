/*
 * Where spans go: an http or https URL, taken apart once.
 *
 * `http://user:secret@collector.example:4318/v1/traces?key=1`
 *
 * Threads: pure. Memory: the caller's struct, nothing else. Failure: parse says which part is wrong.
 * Source: RFC 3986; OpenTelemetry specification, protocol/exporter ("Endpoint URLs for OTLP/HTTP":
 * used as is, no path means `/`).
 */
#ifndef TEL_OTLP_ENDPOINT_H
#define TEL_OTLP_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define TEL__ENDPOINT_HOST_MAX   253  /* of a DNS name */
#define TEL__ENDPOINT_TARGET_MAX 2048 /* path and query */
#define TEL__ENDPOINT_USER_MAX   255  /* `user:password`, decoded */

struct tel__endpoint {
    bool tls;
    uint16_t port;
    char host[TEL__ENDPOINT_HOST_MAX + 1];       /* a name or address, no brackets */
    char authority[TEL__ENDPOINT_HOST_MAX + 10]; /* value of the Host header */
    char target[TEL__ENDPOINT_TARGET_MAX + 1];   /* path and query, never empty */
    char authorization[8 + (TEL__ENDPOINT_USER_MAX + 2) / 3 * 4]; /* "Basic …", or "" */
    char display[TEL__ENDPOINT_HOST_MAX + 10 +
                 256]; /* for messages: no user, no query, perhaps cut */
};

/* Returns 0, or -EINVAL with *reason a static text. */
int tel__endpoint_parse(const char *url, struct tel__endpoint *endpoint, const char **reason);

#endif
