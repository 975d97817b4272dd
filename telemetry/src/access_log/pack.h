/*
 * A request as it lies in the queue: the values that the compiled fields need, unaligned and
 * unformatted, in lanes of equal sizes. The lanes are as long for every record of a field list, so
 * a value lies where its slot says, and only the bytes of texts have to be looked for.
 *
 *     [words][ids][addresses][shorts][lengths] [text][text]…
 *     |<--------- lane_bytes, fixed -------->| |<- by the lengths, in their order ->|
 *
 *     words, shorts    as in memory
 *     ids              as in memory; zero when the request was not traced
 *     addresses        struct tel__address
 *     lengths          uint16, or TEL__MISSING
 *
 * Threads: pure functions; pack runs on the request's thread, unpack on the writer's.
 * Memory: pack copies everything; what unpack gives points into the packed bytes.
 * Failure: none. Texts over TEL_ACCESS_VALUE_MAX are cut, never within a character or a %XX.
 */
#ifndef TEL_ACCESS_LOG_PACK_H
#define TEL_ACCESS_LOG_PACK_H

#include "access_log/fields.h"

#define TEL__MISSING UINT16_MAX

/* Packed, so that it may lie anywhere. */
struct __attribute__((packed)) tel__address {
    uint8_t bytes[16];
    uint16_t port;  /* host order */
    uint8_t length; /* of the address: 4, 16, or 0 for unknown */
};

/* A value of an unpacked record: `data` is NULL when a text is missing. */
struct tel__values {
    struct tel_text at[TEL__SLOTS_MAX];
};

/* Sorts the slots into lanes: sets `lanes`, `lane_bytes` and the slots' offsets. */
void tel__pack_layout(struct tel__fields *fields);

/* Bytes that tel__pack() will write at most: a few more than it does where a text must be cut. */
size_t tel__pack_size(const struct tel__fields *fields, const struct tel_access_record *record);
/* Returns the bytes written. */
size_t tel__pack(const struct tel__fields *fields, const struct tel_access_record *record,
                 char *packed);

void tel__unpack(const struct tel__fields *fields, const char *packed, struct tel__values *values);

#endif
