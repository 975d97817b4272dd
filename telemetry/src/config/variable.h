/*
 * One environment variable: what its row of otel.def says, and reading its value.
 *
 * Threads: pure functions. Memory: a value's text is the caller's, freed with free(3).
 * Failure: -EINVAL with a reason that names no secret.
 */
#ifndef TEL_CONFIG_VARIABLE_H
#define TEL_CONFIG_VARIABLE_H

#include <stddef.h>
#include <stdint.h>

enum tel__variable_type {
    TEL__TEXT,
    TEL__BOOL,
    TEL__NUMBER,
    TEL__CHOICE,
    TEL__CHOICES,
    TEL__ATTRIBUTE,
    TEL__LIST,
    TEL__SECRETS,
    TEL__URL_BASE,
    TEL__URL,
};

struct tel__variable {
    const char *name; /* in full */
    enum tel__variable_type type;
    const char *initial;
    uint64_t low;
    uint64_t high;
    const char *choices;
};

struct tel__value {
    char *text;      /* in normal form: `true`, `gzip`, `512`; "" is unset */
    uint64_t number; /* of a NUMBER or BOOL */
};

/* Reads `text`, which must not be empty. Returns 0, -EINVAL, or -ENOMEM. `why` gets the reason of
 * -EINVAL; with 0 it may hold a warning (a part that was left out), else it is "". */
int tel__variable_parse(const struct tel__variable *variable, const char *text,
                        struct tel__value *value, char *why, size_t why_size);

#endif
