/*
 * The documents are files in incidents/, made into arrays when the program is built (embed.cmake).
 */
#include "faults/incidents.h"

#include <string.h>

#define INCIDENT(stem, name)                      \
    extern const unsigned char incident_##stem[]; \
    extern const size_t incident_##stem##_bytes;
#include "faults/incidents.def"
#undef INCIDENT

static const struct {
    const char *name;
    const unsigned char *document;
    const size_t *length;
} incidents[] = {
#define INCIDENT(stem, name) {name, incident_##stem, &incident_##stem##_bytes},
#include "faults/incidents.def"
#undef INCIDENT
};

#define INCIDENTS (sizeof(incidents) / sizeof(incidents[0]))

const char *fault_incident_find(const char *name, size_t length, size_t *document_length)
{
    for (size_t i = 0; i < INCIDENTS; i++) {
        if (strlen(incidents[i].name) == length && memcmp(incidents[i].name, name, length) == 0) {
            *document_length = *incidents[i].length;
            return (const char *)incidents[i].document;
        }
    }
    return NULL;
}

const char *fault_incident_name(size_t index)
{
    return index < INCIDENTS ? incidents[index].name : NULL;
}
