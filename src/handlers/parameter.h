/*
 * A handler's query parameter: read, or answered with a 400 that names it and its range.
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_HANDLERS_PARAMETER_H
#define GLASSBOX_HANDLERS_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

struct exchange;

/* Reads query parameter `name` into *value, which keeps its default when the parameter is absent.
 * Returns false when it was bad: the exchange has then been answered and must not be touched. */
bool parameter_number(struct exchange *exchange, const char *name, const char *unit,
                      uint64_t minimum, uint64_t maximum, uint64_t *value);

#endif
