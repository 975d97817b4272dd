/*
 * Incidents that the program carries: documents as fault_plan_parse() reads them, by name.
 *
 * Threads: any; constant data.
 */
#ifndef GLASSBOX_FAULTS_INCIDENTS_H
#define GLASSBOX_FAULTS_INCIDENTS_H

#include <stddef.h>

/* The document of the incident of that name, and its bytes; NULL when there is none. Static. */
const char *fault_incident_find(const char *name, size_t length, size_t *document_length);

/* The names in their order, from 0 on; NULL behind the last. Static. */
const char *fault_incident_name(size_t index);

#endif
