/*
 * The bearer token of the fault API: in a file, which is read at each request, so that it can be
 * replaced.
 *
 * How it works: a file holds one token of the characters of RFC 6750 (2.1), of FAULT_TOKEN_BYTES_MIN
 * to _MAX bytes; one line end behind it is fine. Both tokens are hashed and the hashes compared in
 * constant time, so that neither content nor length shows in the time it takes.
 *
 * Threads: any. Memory: the token is wiped before its memory is given back.
 */
#ifndef GLASSBOX_FAULTS_TOKEN_H
#define GLASSBOX_FAULTS_TOKEN_H

#include "http/http.h"

#define FAULT_TOKEN_BYTES_MIN    16
#define FAULT_TOKEN_BYTES_MAX    4096
#define FAULT_TOKEN_REASON_BYTES 256

enum fault_token_verdict {
    FAULT_TOKEN_GOOD,
    FAULT_TOKEN_MISSING,   /* no `Authorization: Bearer …` */
    FAULT_TOKEN_WRONG,     /* another token */
    FAULT_TOKEN_UNREADABLE /* ours: the reason */
};

/* Whether the file holds a token. Returns 0, or -EINVAL with the reason. */
int fault_token_check_file(const char *path, char reason[FAULT_TOKEN_REASON_BYTES]);

/* Judges the value of an Authorization header, absent if there is none, by the token in the file. */
enum fault_token_verdict fault_token_judge(const char *path, struct http_slice authorization,
                                           char reason[FAULT_TOKEN_REASON_BYTES]);

#endif
