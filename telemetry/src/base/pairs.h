/*
 * Lists of `key=value`, as environment variables carry them: ` a=1 , b=x%20y`.
 *
 * How it works: a copy of the list is cut in place, member by member. Blanks and tabs around keys
 * and values do not count, empty members are passed over, and a value may hold further `=`. What is
 * percent-encoded stays so: what may be, and in which part, differs from list to list.
 *
 *     struct tel__pair pair;
 *     for (char *at = copy; tel__pairs_next(&at, &pair);) { … }
 *
 * Threads: pure. Memory: keys and values point into the list. Failure: none; a member without `=`
 * has no value.
 * Source: W3C Baggage 3.2.1, whose form the OpenTelemetry SDK's variables have.
 */
#ifndef TEL_BASE_PAIRS_H
#define TEL_BASE_PAIRS_H

#include <stdbool.h>

struct tel__pair {
    char *key;
    char *value; /* NULL: the member has no `=`, and all of it is in `key` */
};

/* Takes the first member off the front of *list, which it changes; false when none is left. */
bool tel__pairs_next(char **list, struct tel__pair *pair);

#endif
