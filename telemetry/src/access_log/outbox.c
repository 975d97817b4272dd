/*
 * Two pieces, each a buffer and how much of it is sent; at most one of them is torn, because a torn
 * one is finished before the other is begun. A piece that is sent whole is emptied at once, so
 * `sent` is 0 or within a buffer that still has something to send.
 */
#include "access_log/outbox.h"

#include <string.h>

static int piece_init(struct tel__piece *piece, size_t limit)
{
    tel_buffer_init(&piece->bytes, limit);
    piece->sent = 0;
    return tel_buffer_reserve(&piece->bytes, limit);
}

int tel__outbox_init(struct tel__outbox *outbox, size_t head_max, size_t line_max)
{
    int error = piece_init(&outbox->head, head_max);
    if (error == 0) {
        error = piece_init(&outbox->lines, TEL__BATCH_BYTES + line_max);
        if (error != 0) {
            tel_buffer_fini(&outbox->head.bytes);
        }
    }
    return error;
}

void tel__outbox_fini(struct tel__outbox *outbox)
{
    tel_buffer_fini(&outbox->head.bytes);
    tel_buffer_fini(&outbox->lines.bytes);
}

bool tel__outbox_has_room(const struct tel__outbox *outbox)
{
    return outbox->lines.bytes.length < TEL__BATCH_BYTES;
}

static bool has_bytes(const struct tel__piece *piece)
{
    return piece->sent < piece->bytes.length;
}

bool tel__outbox_has_lines(const struct tel__outbox *outbox)
{
    return has_bytes(&outbox->lines);
}

bool tel__outbox_has_head(const struct tel__outbox *outbox)
{
    return has_bytes(&outbox->head);
}

/* Bytes sent since the last newline that was sent. */
static size_t torn(const struct tel__piece *piece)
{
    if (piece->sent == 0) {
        return 0;
    }
    const char *data = piece->bytes.data;
    const char *newline = memrchr(data, '\n', piece->sent);
    return newline == NULL ? piece->sent : piece->sent - (size_t)(newline + 1 - data);
}

/* Where the line that `sent` stands in, or before, ends. */
static size_t line_end(const struct tel__piece *piece)
{
    const char *data = piece->bytes.data;
    const char *newline = memchr(data + piece->sent, '\n', piece->bytes.length - piece->sent);
    return newline == NULL ? piece->bytes.length : (size_t)(newline + 1 - data);
}

struct tel_text tel__outbox_next(const struct tel__outbox *outbox)
{
    const struct tel__piece *piece = &outbox->head;
    size_t end = piece->bytes.length;
    if (torn(&outbox->lines) > 0) {
        piece = &outbox->lines;
        end = has_bytes(&outbox->head) ? line_end(piece) : piece->bytes.length;
    } else if (!has_bytes(piece)) {
        piece = &outbox->lines;
        end = piece->bytes.length;
    }
    if (!has_bytes(piece)) {
        return (struct tel_text){NULL, 0};
    }
    return (struct tel_text){piece->bytes.data + piece->sent, end - piece->sent};
}

static uint64_t count_newlines(const char *bytes, size_t length)
{
    uint64_t count = 0;
    const char *end = bytes + length;
    for (const char *at = bytes; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL) {
            break;
        }
        count++;
    }
    return count;
}

static void empty(struct tel__piece *piece)
{
    tel_buffer_clear(&piece->bytes);
    piece->sent = 0;
}

uint64_t tel__outbox_take(struct tel__outbox *outbox, size_t length)
{
    struct tel_text next = tel__outbox_next(outbox);
    bool is_head =
        has_bytes(&outbox->head) && next.data == outbox->head.bytes.data + outbox->head.sent;
    struct tel__piece *piece = is_head ? &outbox->head : &outbox->lines;
    uint64_t lines = is_head ? 0 : count_newlines(next.data, length);
    piece->sent += length;
    if (!has_bytes(piece)) {
        empty(piece);
    }
    return lines;
}

size_t tel__outbox_torn(const struct tel__outbox *outbox)
{
    size_t bytes = torn(&outbox->lines);
    return bytes > 0 ? bytes : torn(&outbox->head);
}

void tel__outbox_restart_torn(struct tel__outbox *outbox)
{
    outbox->lines.sent -= torn(&outbox->lines);
    outbox->head.sent -= torn(&outbox->head);
}

uint64_t tel__outbox_drop(struct tel__outbox *outbox)
{
    struct tel__piece *lines = &outbox->lines;
    if (torn(&outbox->head) == 0) {
        empty(&outbox->head);
    }
    size_t kept = torn(lines) > 0 ? line_end(lines) : lines->sent;
    uint64_t dropped = count_newlines(lines->bytes.data + kept, lines->bytes.length - kept);
    lines->bytes.length = kept;
    if (!has_bytes(lines)) {
        empty(lines);
    }
    return dropped;
}

void tel__outbox_clear_head(struct tel__outbox *outbox)
{
    empty(&outbox->head);
}
