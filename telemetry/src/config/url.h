/*
 * Endpoint URLs as the OTLP exporter specification composes them. otlp/endpoint.h says what a
 * usable one is; these functions are given nothing else.
 *
 * Threads: pure functions. Memory: results are the caller's, freed with free(3).
 * Source: OpenTelemetry specification, protocol/exporter, "Endpoint URLs for OTLP/HTTP".
 */
#ifndef TEL_CONFIG_URL_H
#define TEL_CONFIG_URL_H

#include <stddef.h>

/* The URL of a signal below a base: `http://h/otlp` and `v1/traces` give `http://h/otlp/v1/traces`.
 * NULL without memory. */
char *tel__url_compose(const char *base, const char *path);

/* A signal's own URL, as it is; without a path it gets `/`. NULL without memory. */
char *tel__url_complete(const char *url);

/* Writes the URL with a user name and password as `***`, cut to `size` with its NUL. */
void tel__url_mask(const char *url, char *out, size_t size);

#endif
