/*
 * A request as it lies in the queue: the values that the compiled fields need, in the order of
 * their slots, unaligned and unformatted.
 *
 *     [value of slot 0][value of slot 1]…
 *
 *     U64, U16, ADDRESS, ID16, ID8    as in memory, their own size
 *     TEXT                            [uint16 length, or TEL__MISSING][bytes]
 *
 * Threads: pure functions; pack runs on the request's thread, unpack on the writer's.
 * Memory: pack copies everything; what unpack gives points into the packed bytes.
 * Failure: none. Texts over TEL_ACCESS_VALUE_MAX are cut, never within a character or a %XX.
 */
#ifndef TEL_ACCESS_LOG_PACK_H
#define TEL_ACCESS_LOG_PACK_H

#include "access_log/fields.h"

#define TEL__MISSING UINT16_MAX

struct tel__address {
    uint8_t bytes[16];
    uint16_t port;  /* host order */
    uint8_t length; /* of the address: 4, 16, or 0 for unknown */
};

/* A value of an unpacked record: `data` is NULL when a text is missing. */
struct tel__values {
    struct tel_text at[TEL__SLOTS_MAX];
};

/* Bytes that a value of the kind takes, `text_length` bytes of text included. */
size_t tel__packed_bytes(enum tel__value_kind kind, size_t text_length);

/* Bytes that tel__pack() will write. */
size_t tel__pack_size(const struct tel__fields *fields, const struct tel_access_record *record);
void tel__pack(const struct tel__fields *fields, const struct tel_access_record *record,
               char *packed);

void tel__unpack(const struct tel__fields *fields, const char *packed, struct tel__values *values);

#endif
