/*
 * Values of options: text to value and back, a pair of functions a type.
 *
 *   type       C type               written as
 *   ADDRESS    struct address       HOST:PORT (address.h); empty: none
 *   ADDRESSES  struct address_list  HOST:PORT, several separated by commas
 *   COUNT      uint64_t             42
 *   SIZE       uint64_t, bytes      512, 16k, 16KiB, 1MiB, 2g (powers of 1024)
 *   DURATION   uint64_t, ms         500ms, 2s, 1.5m, 1h; 0 needs no unit
 *   RATIO      double               0 to 1
 *   BOOLEAN    bool                 true false yes no on off 1 0
 *   CHOICE     unsigned             one of a list, case ignored: its index
 *   STRING     const char *         as it is, borrowed
 *   FIELDS     const char *         names of access-log fields; empty: none
 *
 * How to extend: a row in OPTION_TYPES, a parse and a format function in option_value.c.
 *
 * Threads: any; nothing is shared.
 * Failure: parse leaves the value alone and says what is wrong in words for the operator, without
 * the option's name, which the caller knows.
 */
#ifndef GLASSBOX_OPTION_VALUE_H
#define GLASSBOX_OPTION_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "telemetry/buffer.h"

/* OPTION_TYPE(name, stem of the functions) */
#define OPTION_TYPES(OPTION_TYPE)     \
    OPTION_TYPE(ADDRESS, address)     \
    OPTION_TYPE(ADDRESSES, addresses) \
    OPTION_TYPE(COUNT, count)         \
    OPTION_TYPE(SIZE, size)           \
    OPTION_TYPE(DURATION, duration)   \
    OPTION_TYPE(RATIO, ratio)         \
    OPTION_TYPE(BOOLEAN, boolean)     \
    OPTION_TYPE(CHOICE, choice)       \
    OPTION_TYPE(STRING, string)       \
    OPTION_TYPE(FIELDS, fields)

/* The C type of each. */
#define OPTION_C_ADDRESS   struct address
#define OPTION_C_ADDRESSES struct address_list
#define OPTION_C_COUNT     uint64_t
#define OPTION_C_SIZE      uint64_t
#define OPTION_C_DURATION  uint64_t
#define OPTION_C_RATIO     double
#define OPTION_C_BOOLEAN   bool
#define OPTION_C_CHOICE    unsigned
#define OPTION_C_STRING    const char *
#define OPTION_C_FIELDS    const char *

enum option_type {
#define OPTION_TYPE(NAME, stem) OPTION_##NAME,
    OPTION_TYPES(OPTION_TYPE)
#undef OPTION_TYPE
};

/* What a value must be; min and max as options.def says. */
struct option_rule {
    enum option_type type;
    uint64_t min;
    uint64_t max;
    const char *choices; /* of a CHOICE: `a|b|c` */
};

/* Reads `text` into `*value`, whose type follows from the rule. ADDRESSES are appended to what the
 * list has. Returns 0, or -EINVAL or -ERANGE with the reason appended to `problem`. */
int option_value_parse(const struct option_rule *rule, const char *text, void *value,
                       struct tel_buffer *problem);

/* Appends the value as parse reads it. */
void option_value_format(const struct option_rule *rule, const void *value, struct tel_buffer *out);

#endif
