/*
 * A part that would end its own element (`</script`) is refused rather than escaped: it is a mistake in
 * our own files, and the unit test finds it. So is a carriage return, which a browser takes out before
 * it hashes.
 */
#include "page/document.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "telemetry/gzip.h"

#define HASH_BYTES 48 /* of a SHA-256 in base64 and a NUL */

#define PAGE_FILE(symbol)                \
    extern const unsigned char symbol[]; \
    extern const size_t symbol##_bytes;
PAGE_FILE(page_html)
PAGE_FILE(page_style)
#define PAGE_SCRIPT(symbol) PAGE_FILE(symbol)
#include "page_scripts.def"
#undef PAGE_SCRIPT

static struct http_slice file_of(const unsigned char *bytes, size_t length)
{
    return (struct http_slice){(const char *)bytes, length};
}

#define PAGE_SCRIPT(symbol) +1
enum {
    SCRIPTS = 0
#include "page_scripts.def"
};
#undef PAGE_SCRIPT
_Static_assert(SCRIPTS <= PAGE_SCRIPTS_MAX, "every script has a place");

void page_parts_get(struct page_parts *parts)
{
    *parts = (struct page_parts){.html = file_of(page_html, page_html_bytes),
                                 .style = file_of(page_style, page_style_bytes)};
#define PAGE_SCRIPT(symbol) parts->scripts[parts->script_count++] = file_of(symbol, symbol##_bytes);
#include "page_scripts.def"
#undef PAGE_SCRIPT
}

/* ---- putting together -------------------------------------------------------------------------- */

static const char *find(struct http_slice in, const char *what)
{
    return memmem(in.data, in.length, what, strlen(what));
}

static bool may_stand_within(struct http_slice part, const char *end_tag)
{
    return find(part, end_tag) == NULL && find(part, "<!--") == NULL && find(part, "\r") == NULL;
}

/* SHA-256 of what the buffer holds from `start` on, in base64. Returns 0 or -ENOMEM. */
static int hash(const struct tel_buffer *html, size_t start, char text[HASH_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    if (EVP_Digest(html->data + start, html->length - start, digest, NULL, EVP_sha256(), NULL) !=
        1) {
        return -ENOMEM;
    }
    EVP_EncodeBlock((unsigned char *)text, digest, sizeof(digest));
    return 0;
}

/* Appends the parts as one element and hashes its content. Returns 0 or a negative errno. */
static int append_element(struct tel_buffer *html, const char *name, const struct http_slice *parts,
                          size_t count, char text[HASH_BYTES])
{
    char end_tag[16];
    snprintf(end_tag, sizeof(end_tag), "</%s", name);
    tel_buffer_append_format(html, "<%s>", name);
    const size_t start = html->length;
    for (size_t i = 0; i < count; i++) {
        if (!may_stand_within(parts[i], end_tag)) {
            return -EINVAL;
        }
        tel_buffer_append(html, parts[i].data, parts[i].length);
    }
    if (html->error != 0) {
        return html->error;
    }
    int error = hash(html, start, text);
    tel_buffer_append_format(html, "%s>", end_tag);
    return error;
}

/* Where a part goes, and the bytes that stand in for it in the markup. */
static const char style_place[] = "<!--style-->";
static const char script_place[] = "<!--script-->";

static int assemble(struct page_document *document, const struct page_parts *parts)
{
    struct tel_buffer *html = &document->html;
    const char *end = parts->html.data + parts->html.length;
    const char *style = find(parts->html, style_place);
    const char *script = find(parts->html, script_place);
    char style_hash[HASH_BYTES];
    char script_hash[HASH_BYTES];
    if (style == NULL || script == NULL || script < style) {
        return -EINVAL;
    }
    tel_buffer_append(html, parts->html.data, (size_t)(style - parts->html.data));
    int error = append_element(html, "style", &parts->style, 1, style_hash);
    if (error != 0) {
        return error;
    }
    style += sizeof(style_place) - 1;
    tel_buffer_append(html, style, (size_t)(script - style));
    error = append_element(html, "script", parts->scripts, parts->script_count, script_hash);
    if (error != 0) {
        return error;
    }
    script += sizeof(script_place) - 1;
    tel_buffer_append(html, script, (size_t)(end - script));
    const int length =
        snprintf(document->policy, sizeof(document->policy),
                 "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
                 "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                 "frame-ancestors 'none'",
                 script_hash, style_hash);
    assert((size_t)length < sizeof(document->policy));
    (void)length;
    return html->error;
}

int page_document_init(struct page_document *document, const struct page_parts *parts)
{
    tel_buffer_init(&document->html, PAGE_DOCUMENT_BYTES_MAX);
    tel_buffer_init(&document->packed, PAGE_DOCUMENT_BYTES_MAX);
    int error = assemble(document, parts);
    if (error != 0) {
        return error;
    }
    const struct iovec whole = {document->html.data, document->html.length};
    return tel_gzip(&whole, 1, &document->packed);
}

void page_document_fini(struct page_document *document)
{
    tel_buffer_fini(&document->html);
    tel_buffer_fini(&document->packed);
}
