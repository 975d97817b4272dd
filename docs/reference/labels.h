/*
 * What is known of a label's values: those that a first scrape shows, and what is said of the rest.
 *
 * Where a list is closed its series stand at 0 from the start, so a first scrape has all of it. Labels of
 * which that is not true are in the table of labels.c, with a list that is or a word why there is none; a
 * label that has neither fails the run.
 */
#ifndef GLASSBOX_REFERENCE_LABELS_H
#define GLASSBOX_REFERENCE_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#define LABEL_VALUES_MAX 64

struct label_value {
    const char *text; /* not NUL-terminated */
    size_t length;
};

struct label_facts {
    struct label_value values[LABEL_VALUES_MAX]; /* in the order of the scrape and of the tables */
    size_t count;
    bool closed;       /* there are no others */
    bool optional;     /* there are series without it */
    const char *words; /* what a list cannot say; NULL: nothing */
};

/* Finds them. `text` is an exposition, which the values point into. Returns 0, or -1 after it has said
 * on stderr that nothing is known. */
int label_facts_find(struct label_facts *facts, const char *text, const char *family,
                     const char *label);

#endif
