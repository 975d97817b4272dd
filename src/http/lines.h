/*
 * Where the lines of a head or of a trailer section end.
 *
 * What it is for: three things the parser does not do. It finds the end of a head before the head
 * is parsed, so that it can be copied in one piece. It refuses a line feed without its carriage
 * return (llhttp takes one after the request line and as the last line of a section) and a line
 * that starts with white space (an obsolete fold, or space before the first header). It bounds the
 * first line.
 *
 * How it works: memchr(3) from line feed to line feed. Bytes may come in pieces of any size; the
 * verdict, and the byte it falls on, are the same.
 *
 * Source: RFC 9112, 2.2 (line terminators, white space after the start-line), 5.2 (folds).
 */
#ifndef GLASSBOX_HTTP_LINES_H
#define GLASSBOX_HTTP_LINES_H

#include <stddef.h>

enum lines_verdict {
    LINES_MORE,      /* no end in what came so far */
    LINES_END,       /* the empty line that ends the section */
    LINES_MALFORMED, /* a bare line feed, or white space at the start of a line */
    LINES_LONG,      /* the first line is over its limit */
};

struct lines {
    size_t first_limit; /* bytes of the first line, its CRLF included */
    size_t first;       /* length of the first line with its CRLF; 0 until it is complete */
    size_t line;        /* bytes of the current line so far */
    char last;          /* the byte before the next one */
};

/* A head: a first line, then headers. */
void lines_init_head(struct lines *lines, size_t first_limit);
/* Trailers: headers only, so that an empty line ends them at once. */
void lines_init_trailers(struct lines *lines);

/* Looks at the next `length` bytes. Returns how many belong to the section, up to and including the
 * one that decided; all of them for LINES_MORE. */
size_t lines_scan(struct lines *lines, const char *bytes, size_t length,
                  enum lines_verdict *verdict);

#endif
