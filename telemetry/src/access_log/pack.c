/*
 * Packing is the part of the log that a request pays for: a walk over the slots, a small copy each.
 * Sizes and positions follow from the slots alone, so nothing describes a record but its fields.
 */
#include "access_log/pack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

static const size_t fixed_bytes[] = {
    [TEL__U64] = sizeof(uint64_t),
    [TEL__U16] = sizeof(uint16_t),
    [TEL__ADDRESS] = sizeof(struct tel__address),
    [TEL__ID16] = 16,
    [TEL__ID8] = 8,
    [TEL__TEXT] = sizeof(uint16_t), /* the length */
};

size_t tel__packed_bytes(enum tel__value_kind kind, size_t text_length)
{
    return fixed_bytes[kind] + (kind == TEL__TEXT ? text_length : 0);
}

/* Where to cut a text that is too long. A cut %XX would not be valid percent-encoding. */
static size_t cut(const char *data, size_t length)
{
    size_t kept = tel__utf8_cut(data, length, TEL_ACCESS_VALUE_MAX);
    if (data[kept - 1] == '%') {
        return kept - 1;
    }
    return data[kept - 2] == '%' ? kept - 2 : kept;
}

static size_t kept_length(const struct tel_text *text)
{
    if (text->data == NULL) {
        return 0;
    }
    return text->length <= TEL_ACCESS_VALUE_MAX ? text->length : cut(text->data, text->length);
}

static const void *member_of(const struct tel_access_record *record, const struct tel__slot *slot)
{
    return (const char *)record + slot->member;
}

size_t tel__pack_size(const struct tel__fields *fields, const struct tel_access_record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < fields->slot_count; i++) {
        const struct tel__slot *slot = &fields->slots[i];
        size += fixed_bytes[slot->kind];
        if (slot->kind == TEL__TEXT) {
            size += kept_length(member_of(record, slot));
        }
    }
    return size;
}

static void pack_address(const struct sockaddr *from, char *packed)
{
    struct tel__address address = {.length = 0};
    if (from != NULL && from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof(in));
        memcpy(address.bytes, &in.sin_addr, 4);
        address.port = ntohs(in.sin_port);
        address.length = 4;
    } else if (from != NULL && from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof(in6));
        memcpy(address.bytes, &in6.sin6_addr, 16);
        address.port = ntohs(in6.sin6_port);
        address.length = 16;
    }
    memcpy(packed, &address, sizeof(address));
}

/* Returns the bytes of text that follow the length. */
static size_t pack_text(const struct tel_text *text, char *packed)
{
    size_t kept = kept_length(text);
    uint16_t length = text->data == NULL ? TEL__MISSING : (uint16_t)kept;
    memcpy(packed, &length, sizeof(length));
    if (kept > 0) {
        memcpy(packed + sizeof(length), text->data, kept);
    }
    return kept;
}

void tel__pack(const struct tel__fields *fields, const struct tel_access_record *record,
               char *packed)
{
    for (size_t i = 0; i < fields->slot_count; i++) {
        const struct tel__slot *slot = &fields->slots[i];
        const void *member = member_of(record, slot);
        size_t size = fixed_bytes[slot->kind];
        switch ((enum tel__value_kind)slot->kind) {
        case TEL__U64:
        case TEL__U16:
            memcpy(packed, member, size);
            break;
        case TEL__ID16:
        case TEL__ID8:
            if (record->traced) {
                memcpy(packed, member, size);
            } else {
                memset(packed, 0, size);
            }
            break;
        case TEL__ADDRESS:
            pack_address(*(const struct sockaddr *const *)member, packed);
            break;
        case TEL__TEXT:
            size += pack_text(member, packed);
            break;
        }
        packed += size;
    }
}

void tel__unpack(const struct tel__fields *fields, const char *packed, struct tel__values *values)
{
    for (size_t i = 0; i < fields->slot_count; i++) {
        const struct tel__slot *slot = &fields->slots[i];
        size_t size = fixed_bytes[slot->kind];
        if (slot->kind != TEL__TEXT) {
            values->at[i] = (struct tel_text){packed, size};
            packed += size;
            continue;
        }
        uint16_t length;
        memcpy(&length, packed, sizeof(length));
        packed += size;
        if (length == TEL__MISSING) {
            values->at[i] = (struct tel_text){NULL, 0};
            continue;
        }
        values->at[i] = (struct tel_text){packed, length};
        packed += length;
    }
}
