/*
 * The engine's limits, as the options set them.
 */
#ifndef GLASSBOX_ENGINE_LIMITS_H
#define GLASSBOX_ENGINE_LIMITS_H

#include "http/http.h"
#include "options.h"

struct http_limits engine_limits_of(const struct options *options);

#endif
