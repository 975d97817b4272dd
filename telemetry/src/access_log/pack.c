/*
 * Packing is the part of the log that a request pays for. What could be decided once was decided by
 * the layout, so it asks no value for its kind: each lane is a loop that copies one size.
 *
 * To add a kind: a row in `kinds`; a lane with its loop in tel__pack() if no lane has its size.
 */
#include "access_log/pack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

#define WORD_BYTES   sizeof(uint64_t)
#define SHORT_BYTES  sizeof(uint16_t)
#define LENGTH_BYTES sizeof(uint16_t)

/* How a kind of value fills its lane: `count` members of `bytes` each. */
static const struct {
    uint8_t lane; /* enum tel__lane */
    uint8_t count;
    uint8_t bytes;
} kinds[] = {
    [TEL__U64] = {TEL__WORDS, 1, WORD_BYTES},
    [TEL__U16] = {TEL__SHORTS, 1, SHORT_BYTES},
    [TEL__ADDRESS] = {TEL__ADDRESSES, 1, sizeof(struct tel__address)},
    [TEL__ID16] = {TEL__IDS, 2, WORD_BYTES},
    [TEL__ID8] = {TEL__IDS, 1, WORD_BYTES},
    [TEL__TEXT] = {TEL__TEXTS, 1, LENGTH_BYTES},
};

/* Puts the slot behind those that its lane has already. */
static void lay(struct tel__fields *fields, struct tel__slot *slot)
{
    struct tel__members *lane = &fields->lanes[kinds[slot->kind].lane];
    for (size_t i = 0; i < kinds[slot->kind].count; i++) {
        lane->at[lane->count++] = (uint16_t)(slot->member + i * kinds[slot->kind].bytes);
    }
    slot->bytes = (uint8_t)(kinds[slot->kind].count * kinds[slot->kind].bytes);
    slot->offset = (uint16_t)fields->lane_bytes;
    fields->lane_bytes += slot->bytes;
}

void tel__pack_layout(struct tel__fields *fields)
{
    memset(fields->lanes, 0, sizeof(fields->lanes));
    fields->lane_bytes = 0;
    for (size_t lane = 0; lane < TEL__LANES; lane++) {
        for (size_t i = 0; i < fields->slot_count; i++) {
            if (kinds[fields->slots[i].kind].lane == lane) {
                lay(fields, &fields->slots[i]);
            }
        }
    }
}

/* ---- packing ------------------------------------------------------------------------------- */

/* Where to cut a text that is too long. A cut %XX would not be valid percent-encoding. */
static size_t cut(const char *data, size_t length)
{
    size_t kept = tel__utf8_cut(data, length, TEL_ACCESS_VALUE_MAX);
    if (data[kept - 1] == '%') {
        return kept - 1;
    }
    return data[kept - 2] == '%' ? kept - 2 : kept;
}

static const void *member(const struct tel_access_record *record, const struct tel__members *lane,
                          size_t index)
{
    return (const char *)record + lane->at[index];
}

size_t tel__pack_size(const struct tel__fields *fields, const struct tel_access_record *record)
{
    const struct tel__members *texts = &fields->lanes[TEL__TEXTS];
    size_t size = fields->lane_bytes;
    for (size_t i = 0; i < texts->count; i++) {
        const struct tel_text *text = member(record, texts, i);
        if (text->data != NULL) {
            size += text->length < TEL_ACCESS_VALUE_MAX ? text->length : TEL_ACCESS_VALUE_MAX;
        }
    }
    return size;
}

/* Each of the lanes' loops returns the end of its lane. */
static char *pack_words(const struct tel_access_record *record, const struct tel__members *lane,
                        char *to)
{
    size_t count = lane->count;
    for (size_t i = 0; i < count; i++) {
        memcpy(to + i * WORD_BYTES, member(record, lane, i), WORD_BYTES);
    }
    return to + count * WORD_BYTES;
}

static char *pack_ids(const struct tel_access_record *record, const struct tel__members *lane,
                      char *to)
{
    char *end = pack_words(record, lane, to);
    if (!record->traced) {
        memset(to, 0, (size_t)(end - to));
    }
    return end;
}

static char *pack_shorts(const struct tel_access_record *record, const struct tel__members *lane,
                         char *to)
{
    size_t count = lane->count;
    for (size_t i = 0; i < count; i++) {
        memcpy(to + i * SHORT_BYTES, member(record, lane, i), SHORT_BYTES);
    }
    return to + count * SHORT_BYTES;
}

static void pack_address(const struct sockaddr *from, struct tel__address *to)
{
    const struct sockaddr_in *in = (const void *)from;
    const struct sockaddr_in6 *in6 = (const void *)from;
    memset(to, 0, sizeof(*to));
    if (from != NULL && from->sa_family == AF_INET) {
        memcpy(to->bytes, &in->sin_addr, 4);
        to->port = ntohs(in->sin_port);
        to->length = 4;
    } else if (from != NULL && from->sa_family == AF_INET6) {
        memcpy(to->bytes, &in6->sin6_addr, 16);
        to->port = ntohs(in6->sin6_port);
        to->length = 16;
    }
}

static char *pack_addresses(const struct tel_access_record *record, const struct tel__members *lane,
                            char *to)
{
    struct tel__address *addresses = (struct tel__address *)to;
    size_t count = lane->count;
    for (size_t i = 0; i < count; i++) {
        pack_address(*(const struct sockaddr *const *)member(record, lane, i), &addresses[i]);
    }
    return (char *)(addresses + count);
}

/* A copy without a call: most texts are short. The last piece may overlap the one before it. */
static void copy(char *to, const char *from, size_t length)
{
    if (length >= 16) {
        size_t last = length - 16;
        for (size_t at = 0; at < last; at += 16) {
            memcpy(to + at, from + at, 16);
        }
        memcpy(to + last, from + last, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else if (length > 0) {
        to[0] = from[0];
        to[length / 2] = from[length / 2];
        to[length - 1] = from[length - 1];
    }
}

static void put_length(char *to, size_t length)
{
    uint16_t narrow = (uint16_t)length;
    memcpy(to, &narrow, sizeof(narrow));
}

/* The lengths, and behind them the bytes. */
static char *pack_texts(const struct tel_access_record *record, const struct tel__members *lane,
                        char *to)
{
    size_t count = lane->count;
    char *bytes = to + count * LENGTH_BYTES;
    for (size_t i = 0; i < count; i++) {
        const struct tel_text *text = member(record, lane, i);
        const char *data = text->data;
        if (data == NULL) {
            put_length(to + i * LENGTH_BYTES, TEL__MISSING);
            continue;
        }
        size_t kept = text->length;
        if (kept > TEL_ACCESS_VALUE_MAX) {
            kept = cut(data, kept);
        }
        put_length(to + i * LENGTH_BYTES, kept);
        copy(bytes, data, kept);
        bytes += kept;
    }
    return bytes;
}

size_t tel__pack(const struct tel__fields *fields, const struct tel_access_record *record,
                 char *packed)
{
    char *to = packed;
    to = pack_words(record, &fields->lanes[TEL__WORDS], to);
    to = pack_ids(record, &fields->lanes[TEL__IDS], to);
    to = pack_addresses(record, &fields->lanes[TEL__ADDRESSES], to);
    to = pack_shorts(record, &fields->lanes[TEL__SHORTS], to);
    to = pack_texts(record, &fields->lanes[TEL__TEXTS], to);
    return (size_t)(to - packed);
}

/* ---- unpacking ----------------------------------------------------------------------------- */

void tel__unpack(const struct tel__fields *fields, const char *packed, struct tel__values *values)
{
    const char *bytes = packed + fields->lane_bytes;
    for (size_t i = 0; i < fields->slot_count; i++) {
        const struct tel__slot *slot = &fields->slots[i];
        const char *at = packed + slot->offset;
        if (slot->kind != TEL__TEXT) {
            values->at[i] = (struct tel_text){at, slot->bytes};
            continue;
        }
        uint16_t length;
        memcpy(&length, at, sizeof(length));
        if (length == TEL__MISSING) {
            values->at[i] = (struct tel_text){NULL, 0};
            continue;
        }
        values->at[i] = (struct tel_text){bytes, length};
        bytes += length;
    }
}
