/*
 * An authority (`host[:port]`) taken apart.
 *
 * Pure; any thread. The engine has checked the form: digits follow the last colon outside brackets.
 */
#ifndef GLASSBOX_AUTHORITY_H
#define GLASSBOX_AUTHORITY_H

#include <stdint.h>

#include "http/http.h"

/* Returns the host, without the brackets of an IPv6 address, and sets *port: 0 when there is none,
 * or none that a port can be. */
struct http_slice authority_split(struct http_slice authority, uint16_t *port);

#endif
