/*
 * A JSON document in bounded memory.
 *
 * What it is for: reading what somebody sent with a parser that is not ours, so that whatever comes
 * in takes no more than DOCUMENT_MEMORY_BYTES, and so that running out of memory is an error like
 * others.
 *
 * How it works: jansson parses. All that it asks for comes from one block, taken before it begins
 * and given back as a whole. When the block is used up the parser is left by longjmp(3): nothing is
 * lost by it, as nothing lies elsewhere. An answer of NULL would not do: when jansson 2.14 has no
 * memory for a string that grows it goes on, and returns it with a character missing, as if it were
 * good; or calls the document malformed, when it is not. What jansson is asked for elsewhere in the
 * program goes to malloc(3), as ever.
 *
 * Strict: a key that is there twice, text behind the end, a byte NUL (which jansson skips behind a
 * number) and `\u0000` are refused. Keys keep their order.
 *
 * Threads: any, each with its own.
 * Memory: what `root` leads to lives until document_close().
 * Failure: `problem` says what is wrong, with line and column.
 */
#ifndef GLASSBOX_FAULTS_DOCUMENT_H
#define GLASSBOX_FAULTS_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "telemetry/buffer.h"

#define DOCUMENT_MEMORY_BYTES ((size_t)2 << 20) /* at most; short documents get less */

struct document {
    void *memory;
    const json_t *root;
};

/* Parses. Returns 0, or with nothing to close -ENOMEM, -EBADMSG (not JSON) or -EINVAL (more than can be
 * taken) with the reason appended to `problem`. */
int document_open(struct document *document, const char *json, size_t length, size_t length_max,
                  struct tel_buffer *problem);

/* Gives the memory back. */
void document_close(struct document *document);

#endif
