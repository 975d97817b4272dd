/*
 * JSON objects read by a table: a row a key, and nothing that has no row.
 *
 * How it works: a reader keeps the place in the document as people write it (`faults[2].error.ratio`)
 * and puts it before whatever it says. fields_read() refuses the first key that the table does not
 * have, then the first row whose key must be there and is not, then reads what is there in the order
 * of the table; so rows may rely on those before them. What is read goes into a struct of the
 * caller's, to the row's offset.
 *
 *     static const struct field rows[] = {
 *         {"ratio", field_ratio, FIELD(struct fault_value, ratio), .required = true},
 *     };
 *     const struct field_table table = {rows, 1};
 *     struct fields fields = {.problem = &problem};
 *     fields_enter(&fields, "error");
 *     fields_read(&fields, &table, json, &value, NULL);
 *
 * How to extend: a reader is a function of type field_read.
 *
 * Threads: none; a reader has one owner.
 * Failure: -EINVAL with the place and the reason in `problem`; what was read before stays in the
 * struct, so the caller reads into one that it can throw away. What the buffer has no memory for is
 * its own sticky error.
 */
#ifndef GLASSBOX_FAULTS_FIELDS_H
#define GLASSBOX_FAULTS_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/buffer.h"

struct fields {
    struct tel_buffer *problem;
    size_t place_length;
    char place[128];
};

struct field;

/* Reads `value` into `into`, which has the row's type. Returns 0 or -EINVAL, said. */
typedef int field_read(struct fields *fields, const struct field *field, const json_t *value,
                       void *into);

struct field_table {
    const struct field *rows; /* at most 32 */
    size_t count;
    /* What the members must be together; NULL: nothing. */
    int (*check)(struct fields *fields, const void *into);
};

struct field {
    const char *name;
    field_read *read;
    size_t offset;
    bool required;
    uint64_t min; /* of a count, a duration in ms, a size in bytes */
    uint64_t max;
    const struct field_table *table; /* of an object */
};

/* The place of a member, for a row. */
#define FIELD(type, member) .offset = offsetof(type, member)

/* Reads an object; `*present`, unless it is NULL, gets bit 1 << row of each key that was there. */
int fields_read(struct fields *fields, const struct field_table *table, const json_t *json,
                void *into, uint32_t *present);

/* Refuses: appends the place and the words; returns -EINVAL. */
int fields_refuse(struct fields *fields, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with what was found before the words: `1.5 is not a ratio: 0 to 1`. */
int fields_refuse_found(struct fields *fields, const json_t *found, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Goes on with a refusal, in words that may be long; returns -EINVAL. */
int fields_add(struct fields *fields, const char *words);

/* Steps into a member, or an element of the list where the reader stands. Returns where it stood,
 * for fields_leave(). */
size_t fields_enter(struct fields *fields, const char *name);
size_t fields_enter_element(struct fields *fields, size_t index);
void fields_leave(struct fields *fields, size_t place_length);

/* Appends the rows' names from `first` on: `a, b, c`. */
void fields_append_names(const struct field *rows, size_t count, struct tel_buffer *out);

/* ---- readers ------------------------------------------------------------------------------- */

field_read field_object;   /* a struct, by field->table */
field_read field_json;     /* const json_t *: read later */
field_read field_ignored;  /* a string, for people: nothing is stored */
field_read field_true;     /* bool; only true is taken */
field_read field_count;    /* uint64_t, min to max */
field_read field_status;   /* uint16_t, min to max */
field_read field_ratio;    /* double, 0 to 1 */
field_read field_cpus;     /* double, above 0, up to max */
field_read field_duration; /* uint64_t in ns, min to max ms, as the options write it */
field_read field_size;     /* uint64_t in bytes, as the options write it */
field_read field_time;     /* uint64_t in ns, RFC 3339 */

#endif
