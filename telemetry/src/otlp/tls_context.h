/*
 * From files to an SSL_CTX: which CAs we trust, and who we are.
 *
 * How it works: a file that was asked for must be usable, or there is no context, and the message
 * says which one, by the name its owner knows it by, and why. Without a file of CAs it is the
 * system's: SSL_CERT_FILE and SSL_CERT_DIR, where OpenSSL was built to look, or where one of the
 * usual distributions keeps them, since a static program runs anywhere. Where there are none the
 * context is made nevertheless, refuses everybody, and has a remark that says so.
 *
 * Threads: pure, but for the files and OpenSSL's error queue.
 */
#ifndef TEL_OTLP_TLS_CONTEXT_H
#define TEL_OTLP_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "otlp/watch.h"

struct tel__tls_file {
    const char *path; /* NULL: none */
    const char *name; /* what to call it: the variable or option that gave it */
};

struct tel__tls_files {
    struct tel__tls_file authorities; /* CAs; none: the system's */
    struct tel__tls_file key;         /* needs the certificate, and the other way */
    struct tel__tls_file certificate; /* a chain, ours first */
};

struct tel__tls_context {
    SSL_CTX *ssl;          /* NULL: `message` says why */
    char authorities[384]; /* where the CAs are from, for people */
    char message[640];     /* with a context: a remark, or "" */
};

/* Fills *context. Returns 0, -EINVAL or -ENOMEM. The caller frees `ssl`. */
int tel__tls_context_make(struct tel__tls_context *context, const struct tel__tls_files *files);

/* Adds all the files that a context depends on. */
void tel__tls_context_watch(const struct tel__tls_files *files, struct tel__watch *watch);

#endif
