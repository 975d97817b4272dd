/*
 * Text from arbitrary bytes: UTF-8 is told apart as a decoder by the book does it, a cut leaves whole
 * characters, percent-encoding and JSON strings come back as what they were, and a list of pairs is
 * read within its bytes.
 */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pairs.h"
#include "telemetry/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- UTF-8, by decoding ---------------------------------------------------------------------- */

/* Length of the character at the start, 0 when it is none: decoded, and compared with the least that
 * needs so many bytes. */
static size_t decode(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
    uint32_t value = at[0] & (0xffu >> (length == 1 ? 1 : length + 1));
    if (length > left || (length == 4 && at[0] >> 3 != 30)) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2) {
            return 0;
        }
        value = value << 6 | (at[i] & 0x3fu);
    }
    bool good = value >= least[length] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return good ? length : 0;
}

static bool is_valid(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t step = decode(bytes + at, length - at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}

static void check_utf8(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    bool valid = is_valid(bytes, size);
    check(tel__utf8_is_valid(text, size) == valid);
    for (size_t at = 0; at < size; at++) {
        check(tel__utf8_character(text + at, size - at) == decode(bytes + at, size - at));
    }
    for (size_t limit = 0; limit <= size && limit < 64; limit++) {
        size_t cut = tel__utf8_cut(text, size, limit);
        check(cut <= limit && limit - cut <= 3);
        check(!valid || is_valid(bytes, cut));
    }
    check(tel__token_length(text, size) <= size);
}

/* ---- percent-encoding ------------------------------------------------------------------------ */

static void check_percent(const char *text, size_t size)
{
    char *encoded = malloc(3 * size + 1);
    check(encoded != NULL);
    for (size_t i = 0; i < size; i++) {
        sprintf(encoded + 3 * i, i % 2 == 0 ? "%%%02X" : "%%%02x", (unsigned char)text[i]);
    }
    check(tel__percent_decode(encoded, 3 * size) == (long)size);
    check(size == 0 || memcmp(encoded, text, size) == 0);

    memcpy(encoded, text, size);
    long length = tel__percent_decode(encoded, size);
    check(length >= -1 && length <= (long)size);
    check(memchr(text, '%', size) != NULL || length == (long)size);
    free(encoded);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static unsigned hex_at(const char *at)
{
    return (unsigned)(tel__hex_digit(at[0], true) << 4 | tel__hex_digit(at[1], true));
}

/* Reads one character of a JSON string; returns what follows it. */
static const char *unescape(const char *at, struct tel_buffer *out)
{
    static const char escapes[] = "\"\"\\\\b\bf\fn\nr\rt\t";
    check((unsigned char)*at >= 0x20 && *at != '"');
    if (*at != '\\') {
        tel_buffer_append_char(out, *at);
        return at + 1;
    }
    if (at[1] == 'u') {
        check(memcmp(at + 2, "00", 2) == 0);
        tel_buffer_append_char(out, (char)hex_at(at + 4));
        return at + 6;
    }
    for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
        if (escapes[i] == at[1]) {
            tel_buffer_append_char(out, escapes[i + 1]);
            return at + 2;
        }
    }
    abort();
}

static void check_json(const char *text, size_t size)
{
    struct tel_buffer json;
    struct tel_buffer back;
    tel_buffer_init(&json, 6 * size + 2);
    tel_buffer_init(&back, 6 * size + 1);
    tel_buffer_append_json(&json, text, size);
    check(json.error == 0 && json.length >= 2 && json.data[0] == '"');
    check(json.data[json.length - 1] == '"' && tel__utf8_is_valid(json.data, json.length));
    const char *end = json.data + json.length - 1;
    for (const char *at = json.data + 1; at < end;) {
        at = unescape(at, &back);
        check(at <= end);
    }
    if (tel__utf8_is_valid(text, size)) {
        check(back.length == size && (size == 0 || memcmp(back.data, text, size) == 0));
    }
    tel_buffer_fini(&json);
    tel_buffer_fini(&back);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static void check_part(const char *part, const char *begin, const char *end)
{
    check(part >= begin && part + strlen(part) <= end);
    check(strchr(part, ',') == NULL && *part != ' ' && *part != '\t');
    check(*part == '\0' || (part[strlen(part) - 1] != ' ' && part[strlen(part) - 1] != '\t'));
}

static void check_pairs(const char *text, size_t size)
{
    char *copy = strndup(text, size);
    check(copy != NULL);
    const char *end = copy + strlen(copy);
    char *at = copy;
    struct tel__pair pair;
    while (tel__pairs_next(&at, &pair)) {
        check_part(pair.key, copy, end);
        check(strchr(pair.key, '=') == NULL);
        if (pair.value != NULL) {
            check_part(pair.value, copy, end);
        } else {
            check(*pair.key != '\0');
        }
    }
    check(at == end);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In memory of its own, so that a read past the end is found. */
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    check_utf8(copy, size);
    check_percent(copy, size);
    check_json(copy, size);
    check_pairs(copy, size);
    free(copy);
    return 0;
}
