#include "faults/text.h"

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

size_t text_cut(const char *bytes, size_t length, size_t most)
{
    if (length <= most) {
        return length;
    }
    while (most > 0 && ((unsigned char)bytes[most] & 0xc0) == 0x80) {
        most--;
    }
    return most;
}

void text_append_plain(struct tel_buffer *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        tel_buffer_append_char(out, is_control(bytes[i]) ? '?' : bytes[i]);
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
