/*
 * The references of docs/, written from the tables that the program is built from: a page a function, as
 * Markdown, and the contract as JSON. What a table cannot say stands beside it here, and a row that finds nothing said of it fails
 * the run, so that a new one is not forgotten.
 *
 * Threads: one.
 */
#ifndef GLASSBOX_REFERENCE_H
#define GLASSBOX_REFERENCE_H

#include "telemetry/buffer.h"

/* Each appends its page. Returns 0, or -1 after it has said on stderr what is missing. */
int reference_options(struct tel_buffer *out);
int reference_variables(struct tel_buffer *out);
int reference_metrics(struct tel_buffer *out);
int reference_contract(struct tel_buffer *out);

/* Appends words separated by |, each as code, with commas between them. */
void reference_words(struct tel_buffer *out, const char *words);

/* Appends text as a cell of a table has it: a | would end the cell. */
void reference_cell(struct tel_buffer *out, const char *text);

#endif
