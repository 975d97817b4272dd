/*
 * Finding line ends. Invariant: `line` counts the bytes since the last line feed and `last` is the
 * byte before the next, so that a line may be cut anywhere between two calls.
 */
#include "http/lines.h"

#include <stdbool.h>
#include <string.h>

void lines_init_head(struct lines *lines, size_t first_limit)
{
    *lines = (struct lines){.first_limit = first_limit};
}

void lines_init_trailers(struct lines *lines)
{
    *lines = (struct lines){.first = 1, .last = '\n'};
}

/* A piece of one line, up to its line feed if that has come. Returns the bytes it takes. */
static size_t scan_piece(struct lines *lines, const char *bytes, size_t length,
                         enum lines_verdict *verdict)
{
    const bool is_first = lines->first == 0;
    if (is_first && length > lines->first_limit - lines->line) {
        *verdict = LINES_LONG;
        length = lines->first_limit - lines->line;
    }
    const char *feed = memchr(bytes, '\n', length);
    if (feed == NULL) {
        lines->line += length;
        lines->last = length > 0 ? bytes[length - 1] : lines->last;
        return length;
    }
    const char before = feed > bytes ? feed[-1] : lines->last;
    length = (size_t)(feed - bytes) + 1;
    lines->line += length;
    *verdict = LINES_MORE;
    if (before != '\r') {
        *verdict = LINES_MALFORMED;
    } else if (is_first) {
        lines->first = lines->line;
    } else if (lines->line == 2) {
        *verdict = LINES_END;
    }
    lines->line = 0;
    lines->last = '\n';
    return length;
}

size_t lines_scan(struct lines *lines, const char *bytes, size_t length,
                  enum lines_verdict *verdict)
{
    size_t at = 0;
    *verdict = LINES_MORE;
    while (at < length && *verdict == LINES_MORE) {
        if (lines->line == 0 && lines->first != 0 && (bytes[at] == ' ' || bytes[at] == '\t')) {
            *verdict = LINES_MALFORMED;
            return at + 1;
        }
        at += scan_piece(lines, bytes + at, length - at, verdict);
    }
    return at;
}
