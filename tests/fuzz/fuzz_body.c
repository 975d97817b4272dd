/*
 * Bodies that are right: the input says how a request's content is framed, and the engine must give
 * it back to the byte, however the request is cut, and understand the request behind it.
 *
 *     [framing][piece][content …]               by length
 *     [framing][piece]([size][content …])*      in chunks; bits of `framing` add extensions, zeros
 *                                               before the size, upper case, and trailers
 *
 * Content over the limit must be refused instead, and nothing be read after it.
 */
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 64 /* engine.h's limit */

enum { IS_CHUNKED = 1, HAS_EXTENSIONS = 2, HAS_ZEROS = 4, IS_UPPER = 8, HAS_TRAILERS = 16 };

/* Appends the rest of the input as chunks, and what they hold to `content`. */
static void append_chunks(struct tel_buffer *out, struct tel_buffer *content, unsigned framing,
                          const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t length = data[0] % 32;
        data++;
        size--;
        length = length < size ? length : size;
        if (length == 0) {
            continue; /* it would be the last one */
        }
        tel_buffer_append_string(out, framing & HAS_ZEROS ? "00" : "");
        tel_buffer_append_format(out, framing & IS_UPPER ? "%zX" : "%zx", length);
        tel_buffer_append_string(out, framing & HAS_EXTENSIONS ? ";a=\"b;c\"\r\n" : "\r\n");
        tel_buffer_append(out, data, length);
        tel_buffer_append_string(out, "\r\n");
        tel_buffer_append(content, data, length);
        data += length;
        size -= length;
    }
    tel_buffer_append_string(out, framing & HAS_ZEROS ? "000\r\n" : "0\r\n");
    tel_buffer_append_string(out, framing & HAS_TRAILERS ? "X: y\r\nHost: z\r\n\r\n" : "\r\n");
}

/* The first answer's content is ours, or it is a 413 and the only one. */
static void check_echo(const struct run *run, const struct tel_buffer *content)
{
    struct output output = output_of(run);
    size_t length;
    const unsigned status = take_head(&output, &length);
    if (content->length > BODY_MAX) {
        check(status == 413 && run->done_count == 1);
        return;
    }
    check(status == 200 && run->done_count == 2 && length == content->length);
    check(length == 0 || memcmp(output.at, content->data, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run whole;
    static struct run cut;
    struct tel_buffer request;
    struct tel_buffer content;
    if (size < 2 || size > 512) {
        return 0;
    }
    const unsigned framing = data[0];
    tel_buffer_init(&request, 65536);
    tel_buffer_init(&content, 65536);
    tel_buffer_append_string(&request, "POST /e HTTP/1.1\r\nHost: a\r\n");
    if (framing & IS_CHUNKED) {
        tel_buffer_append_string(&request, "Transfer-Encoding: chunked\r\n\r\n");
        append_chunks(&request, &content, framing, data + 2, size - 2);
    } else {
        tel_buffer_append_format(&request, "Content-Length: %zu\r\n\r\n", size - 2);
        tel_buffer_append(&request, data + 2, size - 2);
        tel_buffer_append(&content, data + 2, size - 2);
    }
    tel_buffer_append_string(&request, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    check(request.error == 0 && content.error == 0);
    feed(&whole, request.data, request.length, request.length);
    feed(&cut, request.data, request.length, data[1] > 0 ? data[1] : 1);
    check_echo(&whole, &content);
    check_echo(&cut, &content);
    check_same(&whole, &cut);
    forget(&whole);
    forget(&cut);
    tel_buffer_fini(&request);
    tel_buffer_fini(&content);
    return 0;
}
