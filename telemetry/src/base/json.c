/*
 * JSON strings (RFC 8259, 7): runs of harmless bytes are copied at once, the rest one by one.
 */
#include <string.h>

#include "base/text.h"
#include "telemetry/buffer.h"

static void append_escape(struct tel_buffer *buffer, unsigned char byte)
{
    static const char shorthands[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof(shorthands); i += 2) {
        if ((unsigned char)shorthands[i] == byte) {
            tel_buffer_append_char(buffer, '\\');
            tel_buffer_append_char(buffer, shorthands[i + 1]);
            return;
        }
    }
    tel_buffer_append_string(buffer, "\\u00");
    tel_buffer_append_hex(buffer, &byte, 1);
}

void tel_buffer_append_json(struct tel_buffer *buffer, const char *bytes, size_t length)
{
    size_t run = 0; /* start of what is not copied yet */
    size_t at = 0;
    tel_buffer_append_char(buffer, '"');
    while (at < length) {
        unsigned char byte = (unsigned char)bytes[at];
        bool plain = byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
        size_t step = plain ? tel__utf8_character(bytes + at, length - at) : 0;
        if (step > 0) {
            at += step;
            continue;
        }
        tel_buffer_append(buffer, bytes + run, at - run);
        if (plain) {
            tel_buffer_append_string(buffer, "\xef\xbf\xbd");
        } else {
            append_escape(buffer, byte);
        }
        run = ++at;
    }
    tel_buffer_append(buffer, bytes + run, at - run);
    tel_buffer_append_char(buffer, '"');
}
