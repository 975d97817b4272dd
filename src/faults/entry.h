/*
 * One entry of a plan's list, as the document has it: a route or none, when, and what of each kind.
 *
 * Threads: none. Failure: as fields.h says.
 */
#ifndef GLASSBOX_FAULTS_ENTRY_H
#define GLASSBOX_FAULTS_ENTRY_H

#include "faults/fields.h"
#include "faults/plan.h"

struct entry {
    char pattern[FAULT_PATTERN_BYTES];
    uint32_t routes; /* that the pattern names; 0 when there is none */
    uint32_t kinds;  /* bit 1 << kind of each that is there */
    bool has_seed;
    bool has_end;         /* else a duration */
    uint64_t seed;        /* of its own */
    uint64_t start_ns;    /* after the plan's, or the step's, begin */
    uint64_t duration_ns; /* one of the two */
    uint64_t end_wall_ns;
    struct fault_value values[FAULT_KINDS];
};

/* Reads the entry and checks what its members must be together. Returns 0 or -EINVAL, said. */
int entry_read(struct fields *fields, const json_t *json, struct entry *entry);

#endif
