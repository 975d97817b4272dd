/*
 * The request target and the authority: what the bytes of a request line and of a Host header mean.
 *
 * Pure functions; the slices they give point into what they were given (the path of an absolute
 * target without one is a static "/").
 *
 * Source: RFC 9112, 3.2; RFC 3986, 3.2.2 and appendix A.
 */
#ifndef GLASSBOX_HTTP_TARGET_H
#define GLASSBOX_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

struct target {
    struct http_slice path;
    struct http_slice query;     /* absent without `?` */
    struct http_slice authority; /* of the absolute form; else absent */
};

/* Takes a target apart as `method` allows: origin-form and absolute-form (http and https) for all,
 * `*` for OPTIONS, authority-form for CONNECT. False for any other form, a fragment, a control
 * character, space, or a byte outside ASCII; *target is then absent slices. */
bool target_parse(struct http_slice text, enum http_method method, struct target *target);

/* Whether the bytes are a non-empty uri-host with an optional port: a registered name, an IPv4
 * address, or an IPv6 or later literal in brackets. */
bool host_is_valid(struct http_slice host);

/* How many bytes at the start are characters of a token. */
size_t token_span(const char *bytes, size_t length);

#endif
