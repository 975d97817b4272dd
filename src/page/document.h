/*
 * The page as one document: its files put together, its policy, and the same compressed.
 *
 * How it works: the files are embedded in the program when it is built (embed.cmake). Assembling puts
 * style and scripts, each inline, where the markup has `<!--style-->` and `<!--script-->`, and hashes
 * what stands between the tags: the Content-Security-Policy lets these two run and nothing else.
 *
 * Threads: made by one, read-only afterwards.
 * Memory: two buffers of their own, some 100 kB.
 * Source: Content Security Policy Level 3, 2.3.1 (hash-source); HTML, 4.12.1 (script).
 */
#ifndef GLASSBOX_PAGE_DOCUMENT_H
#define GLASSBOX_PAGE_DOCUMENT_H

#include "http/http.h"
#include "telemetry/buffer.h"

#define PAGE_DOCUMENT_BYTES_MAX ((size_t)100 * 1000)
#define PAGE_POLICY_BYTES       384
#define PAGE_SCRIPTS_MAX        32

struct page_document {
    struct tel_buffer html;
    struct tel_buffer packed; /* the same, gzipped */
    char policy[PAGE_POLICY_BYTES];
};

/* What it is made of; borrowed for the call. */
struct page_parts {
    struct http_slice html;
    struct http_slice style;
    struct http_slice scripts[PAGE_SCRIPTS_MAX]; /* one after the other in one element */
    size_t script_count;
};

/* The files of this folder, as they are embedded. */
void page_parts_get(struct page_parts *parts);

/* Returns 0, -EINVAL (a place is missing, or a part would end the element it stands in), -EMSGSIZE over
 * PAGE_DOCUMENT_BYTES_MAX, or -ENOMEM. page_document_fini() is fine after any of them. */
int page_document_init(struct page_document *document, const struct page_parts *parts);
void page_document_fini(struct page_document *document);

#endif
