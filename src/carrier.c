/*
 * The three headers are among those that the engine finds without a search; only a second value of
 * one has to be looked for, from the first on.
 */
#include "carrier.h"

#include <string.h>
#include <strings.h>

#include "http/http.h"

const char *carrier_get(void *carrier, const char *name, size_t index, size_t *length)
{
    const struct http_request *request = carrier;
    enum http_known known = name[0] == 'b'                     ? HTTP_KNOWN_BAGGAGE
                            : strcmp(name, "traceparent") == 0 ? HTTP_KNOWN_TRACEPARENT
                                                               : HTTP_KNOWN_TRACESTATE;
    if (index >= request->known_count[known]) {
        return NULL;
    }
    const struct http_field *field = request->known[known];
    for (; index > 0; index--) {
        do {
            field++;
        } while (field->name.length != request->known[known]->name.length ||
                 strncasecmp(field->name.data, name, field->name.length) != 0);
    }
    *length = field->value.length;
    return field->value.data;
}
