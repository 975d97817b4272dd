/*
 * The headers an operator adds to each export: `k=v,k=v`, values percent-decoded.
 *
 * Threads: built by one, read-only afterwards. Memory: the list owns its text.
 * Failure: parse names what is wrong, never the value: it may be a secret.
 * Source: OpenTelemetry specification, protocol/exporter ("Specifying headers via environment
 * variables"); RFC 9110 5.1, 5.5.
 */
#ifndef TEL_OTLP_HEADERS_H
#define TEL_OTLP_HEADERS_H

#include <stddef.h>

#define TEL__HEADERS_MAX      64
#define TEL__HEADERS_TEXT_MAX 8192 /* bytes of the list as given */

struct tel__header {
    const char *name;
    const char *value;
};

struct tel__headers {
    size_t count;
    char *text; /* names and values, NUL-terminated */
    struct tel__header items[TEL__HEADERS_MAX];
};

/* Reads `list` (NULL: none). Returns 0, or -EINVAL or -ENOMEM with *reason a static text; there is
 * nothing to free then. */
int tel__headers_parse(const char *list, struct tel__headers *headers, const char **reason);
void tel__headers_fini(struct tel__headers *headers);

/* The value of header `name`, in any case, or NULL. */
const char *tel__headers_get(const struct tel__headers *headers, const char *name);

#endif
