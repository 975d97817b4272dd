/*
 * A header is a comma-separated list of ranges with parameters; of these only `q` matters here.
 */
#include "accept.h"

#include <string.h>
#include <strings.h>

struct range {
    struct http_slice name; /* "text/html" */
    unsigned quality;       /* thousandths */
};

static struct http_slice trim(const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t')) {
        begin++;
    }
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (struct http_slice){begin, (size_t)(end - begin)};
}

/* `0`, `0.5`, `1.000`; anything else is not a quality and counts as 1. */
static unsigned parse_quality(struct http_slice text)
{
    if (text.length == 0 || text.length > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.length > 1 && text.data[1] != '.')) {
        return 1000;
    }
    unsigned value = (unsigned)(text.data[0] - '0') * 1000;
    unsigned weight = 100;
    for (size_t i = 2; i < text.length; i++, weight /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 1000;
        }
        value += (unsigned)(text.data[i] - '0') * weight;
    }
    return value > 1000 ? 1000 : value;
}

static unsigned quality_of(const char *parameters, const char *end)
{
    while (parameters < end) {
        const char *next = memchr(parameters, ';', (size_t)(end - parameters));
        struct http_slice one = trim(parameters, next != NULL ? next : end);
        if (one.length >= 2 && (one.data[0] == 'q' || one.data[0] == 'Q') && one.data[1] == '=') {
            return parse_quality((struct http_slice){one.data + 2, one.length - 2});
        }
        parameters = next != NULL ? next + 1 : end;
    }
    return 1000;
}

/* Takes the next range off the front of *rest; false at the end. */
static bool next_range(struct http_slice *rest, struct range *range)
{
    while (rest->length > 0) {
        const char *begin = rest->data;
        const char *end = begin + rest->length;
        const char *comma = memchr(begin, ',', rest->length);
        const char *stop = comma != NULL ? comma : end;
        const char *semicolon = memchr(begin, ';', (size_t)(stop - begin));
        range->name = trim(begin, semicolon != NULL ? semicolon : stop);
        range->quality = semicolon != NULL ? quality_of(semicolon + 1, stop) : 1000;
        rest->data = comma != NULL ? comma + 1 : end;
        rest->length = (size_t)(end - rest->data);
        if (range->name.length > 0) {
            return true;
        }
    }
    return false;
}

static bool is(struct http_slice name, const char *text)
{
    return name.length == strlen(text) && strncasecmp(name.data, text, name.length) == 0;
}

/* 3 for an exact match, 2 for a wildcard subtype, 1 for the wildcard of everything, 0 for none. */
static int specificity(struct http_slice name, const char *type, const char *subtype)
{
    const char *slash = memchr(name.data, '/', name.length);
    if (slash == NULL) {
        return 0;
    }
    struct http_slice left = {name.data, (size_t)(slash - name.data)};
    struct http_slice right = {slash + 1, name.length - left.length - 1};
    if (is(left, "*") && is(right, "*")) {
        return 1;
    }
    if (!is(left, type)) {
        return 0;
    }
    return is(right, subtype) ? 3 : is(right, "*") ? 2 : 0;
}

/* The best match so far. */
struct verdict {
    int match;        /* specificity() */
    unsigned quality; /* of it */
};

static void judge(struct verdict *verdict, struct http_slice accept, const char *type,
                  const char *subtype)
{
    struct range range;
    while (next_range(&accept, &range)) {
        int match = specificity(range.name, type, subtype);
        if (match > verdict->match) {
            *verdict = (struct verdict){match, range.quality};
        }
    }
}

unsigned accept_media_quality(struct http_slice accept, const char *type, const char *subtype)
{
    struct verdict verdict = {0, 0};
    if (accept.length == 0) {
        return 1000;
    }
    judge(&verdict, accept, type, subtype);
    return verdict.quality;
}

unsigned accept_request_quality(const struct http_request *request, const char *type,
                                const char *subtype)
{
    const struct http_field *first = request->known[HTTP_KNOWN_ACCEPT];
    struct verdict verdict = {0, 0};
    size_t length = 0;
    if (request->known_count[HTTP_KNOWN_ACCEPT] <= 1) {
        return accept_media_quality(first != NULL ? first->value : (struct http_slice){NULL, 0},
                                    type, subtype);
    }
    for (size_t i = 0; i < request->field_count; i++) {
        if (is(request->fields[i].name, "accept")) {
            judge(&verdict, request->fields[i].value, type, subtype);
            length += request->fields[i].value.length;
        }
    }
    return length > 0 ? verdict.quality : 1000;
}

bool accept_media_is(struct http_slice content_type, const char *type)
{
    if (content_type.length == 0) {
        return false;
    }
    const char *end = content_type.data + content_type.length;
    const char *semicolon = memchr(content_type.data, ';', content_type.length);
    return is(trim(content_type.data, semicolon != NULL ? semicolon : end), type);
}
