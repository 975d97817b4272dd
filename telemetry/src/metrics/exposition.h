/*
 * Exposition: one walk over families and series, and a table of functions a format.
 *
 * How it works:
 *
 *     for each family:                        begin_family   with its first sample: a family
 *         for each series, or emitted sample: scalar         that has none leaves no trace
 *                                             histogram
 *                                             end_family
 *     end
 *
 * A format appends to the scrape's buffer, whose error is sticky: nobody looks at it before the
 * end. To add a format: a table like those at the bottom, a row in `formats` of exposition.c and in
 * negotiate.c.
 *
 * Threads: a scrape has its own struct; it reads what others write without stopping them.
 */
#ifndef TEL_METRICS_EXPOSITION_H
#define TEL_METRICS_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/histogram.h"
#include "metrics/model.h"
#include "metrics/number.h"
#include "telemetry/metrics.h"

struct tel__format;

struct tel_scrape {
    const struct tel__format *format;
    struct tel_buffer *out;
    const struct tel_family *family; /* under way */
    bool begun;                      /* its header was written */
    size_t family_at;                /* protobuf: where its length belongs */
    struct tel_buffer labels;        /* of an emitted sample */
};

struct tel__format {
    bool binary_labels; /* series give their protobuf fragment instead of the text one */
    void (*begin_family)(struct tel_scrape *scrape);
    void (*scalar)(struct tel_scrape *scrape, struct tel__fragment labels,
                   const struct tel__number *value);
    void (*histogram)(struct tel_scrape *scrape, const struct tel_series *series,
                      const struct tel__snapshot *snapshot);
    void (*end_family)(struct tel_scrape *scrape); /* or NULL */
    void (*end)(struct tel_scrape *scrape);        /* or NULL */
    /* Text formats: writes ` # {…} value time` of up to TEL__EXEMPLAR_TEXT_MAX bytes; or NULL. */
    char *(*put_exemplar)(char *at, const struct tel__exemplar *exemplar);
};

#define TEL__EXEMPLAR_TEXT_MAX 160

/* What the two text formats share. */
void tel__text_line(struct tel_buffer *out, const char *keyword, const char *name,
                    size_t name_length, const char *rest);
void tel__text_help(struct tel_buffer *out, const struct tel_family *family, size_t name_length,
                    bool quotes);
void tel__text_scalar(struct tel_scrape *scrape, struct tel__fragment labels,
                      const struct tel__number *value);
void tel__text_histogram(struct tel_scrape *scrape, const struct tel_series *series,
                         const struct tel__snapshot *snapshot);

extern const struct tel__format tel__format_text;
extern const struct tel__format tel__format_openmetrics;
extern const struct tel__format tel__format_protobuf;

#endif
