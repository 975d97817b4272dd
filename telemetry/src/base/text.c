/*
 * Pure functions on text. Each looks only at its arguments; none allocates.
 */
#include "base/text.h"

#include <string.h>

static uint64_t word_at(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Whether no byte has its top bit set, eight bytes a step. The last step reaches back over bytes
 * that were seen before rather than go byte by byte. */
static bool is_ascii(const char *bytes, size_t length)
{
    uint64_t seen = 0;
    if (length < sizeof(seen)) {
        for (size_t at = 0; at < length; at++) {
            seen |= (unsigned char)bytes[at];
        }
        return (seen & 0x80) == 0;
    }
    for (size_t at = 0; at + sizeof(seen) < length; at += sizeof(seen)) {
        seen |= word_at(bytes + at);
    }
    seen |= word_at(bytes + length - sizeof(seen));
    return (seen & 0x8080808080808080u) == 0;
}

/* Length of the ASCII run at the start. */
static size_t ascii_prefix(const char *bytes, size_t length)
{
    size_t at = 0;
    while (length - at >= 8 && (word_at(bytes + at) & 0x8080808080808080u) == 0) {
        at += 8;
    }
    while (at < length && (unsigned char)bytes[at] < 0x80) {
        at++;
    }
    return at;
}

/* Bytes of the multi-byte character at the start, or 0 when it is malformed. The second byte's
 * range is what rules out overlong forms, surrogates and what lies beyond U+10FFFF (Unicode
 * standard, table 3-7). */
static size_t multibyte_length(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first_low || at[0] > forms[i].first_high) {
            continue;
        }
        if (left < forms[i].length || at[1] < forms[i].second_low || at[1] > forms[i].second_high) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((at[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

size_t tel__utf8_character(const char *bytes, size_t length)
{
    return (unsigned char)bytes[0] < 0x80 ? 1
                                          : multibyte_length((const unsigned char *)bytes, length);
}

bool tel__utf8_is_valid(const char *bytes, size_t length)
{
    if (is_ascii(bytes, length)) { /* nearly all that we are given */
        return true;
    }
    for (size_t at = 0;;) {
        at += ascii_prefix(bytes + at, length - at);
        if (at == length) {
            return true;
        }
        size_t step = multibyte_length((const unsigned char *)bytes + at, length - at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
}

size_t tel__utf8_cut(const char *bytes, size_t length, size_t limit)
{
    if (length <= limit) {
        return length;
    }
    /* A character has at most three continuation bytes; more in a row are no UTF-8 anyway. */
    size_t cut = limit;
    for (int back = 0; back < 3 && cut > 0 && ((unsigned char)bytes[cut] & 0xc0) == 0x80; back++) {
        cut--;
    }
    return ((unsigned char)bytes[cut] & 0xc0) == 0x80 ? limit : cut;
}

#define PAIRS(high)                                                                                \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high \
         "a" high "b" high "c" high "d" high "e" high "f"

const char tel__hex_pairs[2 * 256 + 1] =
    PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5") PAIRS("6") PAIRS("7")
        PAIRS("8") PAIRS("9") PAIRS("a") PAIRS("b") PAIRS("c") PAIRS("d") PAIRS("e") PAIRS("f");

int tel__hex_digit(char digit, bool upper)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (upper && digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

/* Letters and digits are those of ASCII, whatever the locale says. */
static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

size_t tel__token_length(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && is_token_byte(bytes[at])) {
        at++;
    }
    return at;
}

long tel__percent_decode(char *bytes, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++) {
        if (bytes[from] != '%') {
            bytes[to++] = bytes[from];
            continue;
        }
        if (length - from < 3) {
            return -1;
        }
        int high = tel__hex_digit(bytes[from + 1], true);
        int low = tel__hex_digit(bytes[from + 2], true);
        if (high < 0 || low < 0) {
            return -1;
        }
        bytes[to++] = (char)(high << 4 | low);
        from += 2;
    }
    return (long)to;
}
