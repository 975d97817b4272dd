/*
 * A field list, compiled: what append keeps of a request and how the writer prints it.
 *
 * How it works: each name of the list is looked up in fields.def once. What it needs becomes a slot
 * (a value kept of every request; two fields that need the same value share one), what it prints
 * becomes a field that points at its slots. Slots are then sorted into lanes, a lane a size, so that
 * append is a few plain loops. pack.h walks the lanes, line.h the fields.
 *
 *     "date time cs-uri cs(Host)"  ->  slots:  END      URI_STEM URI_QUERY request_headers[0]
 *                                      fields: DATE  TIME  URI  HEADER
 *                                      lanes:  WORDS: END  TEXTS: URI_STEM URI_QUERY …headers[0]
 *
 * Threads: compiled before it is shared, read-only afterwards.
 * Memory: one struct in the caller's memory, nothing allocated.
 * Failure: -EINVAL and a message that names the field and what is allowed.
 */
#ifndef TEL_ACCESS_LOG_FIELDS_H
#define TEL_ACCESS_LOG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/access_log.h"

#define TEL__HEADER_NAME_MAX 64                         /* bytes of a header's name */
#define TEL__FIELD_NAME_MAX  (TEL__HEADER_NAME_MAX + 4) /* "cs(" name ")" */
#define TEL__COMPUTER_MAX    64
#define TEL__NO_SLOT         UINT8_MAX
#define TEL__FIELDS_MESSAGE  1024 /* bytes that any message of compile fits into */

/* How a value lies in a packed record. */
enum tel__value_kind {
    TEL__U64,
    TEL__U16,
    TEL__ADDRESS, /* struct tel__address */
    TEL__ID16,    /* 16 bytes; all zero: missing */
    TEL__ID8,
    TEL__TEXT, /* bytes of varying length */
};

enum tel__value {
    TEL__VALUE_NONE,
#define VALUE(id, kind, member) TEL__VALUE_##id,
#include "access_log/fields.def"
    TEL__VALUES
};

enum tel__print {
    TEL__PRINT_DATE,
    TEL__PRINT_TIME,
    TEL__PRINT_TAKEN,
    TEL__PRINT_NUMBER, /* the sum of its values */
    TEL__PRINT_IP,
    TEL__PRINT_PORT,
    TEL__PRINT_STATUS,
    TEL__PRINT_WORD,
    TEL__PRINT_URI, /* stem, and `?` query when there is one */
    TEL__PRINT_HEADER,
    TEL__PRINT_HEX,
    TEL__PRINT_COMPUTER,
    TEL__PRINT_ZERO,
    TEL__PRINT_NOTHING, /* always missing */
    TEL__PRINTS
};

#define TEL__SLOTS_MAX (TEL__VALUES - 1 + 2 * TEL_ACCESS_HEADERS_MAX)

struct tel__slot {
    uint8_t kind;    /* enum tel__value_kind */
    uint8_t bytes;   /* that its lane keeps of it */
    uint16_t member; /* offset in struct tel_access_record */
    uint16_t offset; /* in a packed record, of those bytes */
};

/* What a packed record is made of, in its order: values of one size side by side. */
enum tel__lane {
    TEL__WORDS, /* 8 bytes */
    TEL__IDS,   /* 8 bytes, of traced requests; a trace id is two */
    TEL__ADDRESSES,
    TEL__SHORTS, /* 2 bytes */
    TEL__TEXTS,  /* their lengths; the bytes follow behind the last lane */
    TEL__LANES
};

/* A lane: where append finds its values. */
struct tel__members {
    uint16_t at[TEL__SLOTS_MAX]; /* offsets in struct tel_access_record */
    size_t count;
};

struct tel__field {
    uint8_t print;    /* enum tel__print */
    uint8_t slots[2]; /* or TEL__NO_SLOT */
    char name[TEL__FIELD_NAME_MAX + 1];
};

struct tel__fields {
    struct tel__field list[TEL_ACCESS_FIELDS_MAX];
    size_t count;
    struct tel__slot slots[TEL__SLOTS_MAX];
    size_t slot_count;
    struct tel__members lanes[TEL__LANES];
    char headers[2][TEL_ACCESS_HEADERS_MAX][TEL__HEADER_NAME_MAX + 1]; /* by direction */
    size_t header_counts[2];
    bool iis;
    char computer[TEL__COMPUTER_MAX + 1];
    size_t lane_bytes; /* of every packed record: all but the bytes of texts */
    size_t record_max; /* bytes of the largest packed record */
    size_t line_max;   /* bytes of the longest line, newline included */
};

/* Compiles a list of names separated by spaces, tabs or commas. Returns 0, or -EINVAL with the
 * reason in `message`. */
int tel__fields_compile(struct tel__fields *fields, const char *list, bool iis, char *message,
                        size_t size);

#endif
