/*
 * Packing of a span's items; record.h has the reading side and says what an item is.
 *
 * Packed items are trusted: they never leave the process, so unpacking checks nothing.
 *
 * Threads: pure functions. Memory: keys are kept by address, string values are copied.
 * Failure: none; the caller looks at tel__item_size() first.
 */
#ifndef TEL_TRACE_ITEM_H
#define TEL_TRACE_ITEM_H

#include <stddef.h>

#include "trace/record.h"

/* Bytes that tel__item_pack() will write. Strings count as cut to TEL_ATTRIBUTE_VALUE_MAX. */
size_t tel__item_size(const struct tel__item *item);

/* Writes the item at `at`; returns the byte after it. */
char *tel__item_pack(char *at, const struct tel__item *item);

/* Reads the item at `at`; returns the byte after it. */
const char *tel__item_unpack(const char *at, struct tel__item *item);

#endif
