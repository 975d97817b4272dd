/*
 * Foreign text in messages: what a document holds is shown to people, in logs and on terminals, so it
 * is cut where it is long, at the end of a character, and `?` stands for each control character and
 * each byte of a character that is not whole.
 *
 * Threads: any; pure.
 */
#ifndef GLASSBOX_FAULTS_TEXT_H
#define GLASSBOX_FAULTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "telemetry/buffer.h"

/* Bytes of foreign text in a message. */
#define TEXT_SHOWN_BYTES 48

/* How many of the bytes, at most `most`, end with a whole character of UTF-8. */
size_t text_cut(const char *bytes, size_t length, size_t most);

/* Appends the bytes so that they can be shown. */
void text_append_plain(struct tel_buffer *out, const char *bytes, size_t length);

/* Appends them in backquotes, cut at TEXT_SHOWN_BYTES, then with `…`. */
void text_append_quoted(struct tel_buffer *out, const char *bytes, size_t length);

/* Whether it can be shown as it is: printable ASCII, and not long. */
bool text_is_plain(const char *bytes, size_t length);

#endif
