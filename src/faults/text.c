/*
 * What is shown was UTF-8 when it was read, but others may have cut it: a parser that quotes the bytes
 * it has read so far stops in the middle of a character. So it is enough to count its bytes.
 */
#include "faults/text.h"

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Of the character that the bytes begin with; 0 when it is not whole. */
static size_t character_bytes(const char *bytes, size_t length)
{
    const unsigned char lead = (unsigned char)bytes[0];
    const size_t width = lead < 0x80                   ? 1
                         : lead >= 0xc0 && lead < 0xe0 ? 2
                         : lead >= 0xe0 && lead < 0xf0 ? 3
                         : lead >= 0xf0 && lead < 0xf8 ? 4
                                                       : 0;
    for (size_t i = 1; i < width; i++) {
        if (i >= length || !is_continuation(bytes[i])) {
            return 0;
        }
    }
    return width;
}

size_t text_cut(const char *bytes, size_t length, size_t most)
{
    if (length <= most) {
        return length;
    }
    while (most > 0 && is_continuation(bytes[most])) {
        most--;
    }
    return most;
}

void text_append_plain(struct tel_buffer *out, const char *bytes, size_t length)
{
    while (length > 0) {
        const size_t width = is_control(*bytes) ? 0 : character_bytes(bytes, length);
        const size_t step = width > 0 ? width : 1;
        tel_buffer_append(out, width > 0 ? bytes : "?", step);
        bytes += step;
        length -= step;
    }
}

void text_append_quoted(struct tel_buffer *out, const char *bytes, size_t length)
{
    const size_t shown = text_cut(bytes, length, TEXT_SHOWN_BYTES);
    tel_buffer_append_char(out, '`');
    text_append_plain(out, bytes, shown);
    tel_buffer_append_string(out, shown < length ? "…`" : "`");
}

bool text_is_plain(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_control(bytes[i]) || (unsigned char)bytes[i] >= 0x80) {
            return false;
        }
    }
    return length <= TEXT_SHOWN_BYTES;
}
