/*
 * What went wrong with TLS, in words that a person can act on.
 *
 * How it works: OpenSSL's own short text comes first, since that is what people look up; then what
 * it is about: the certificate's names, its dates, its issuer, or what the other side meant by an
 * alert.
 *
 * Threads: pure, but for OpenSSL's error queue, which is the thread's. Failure: texts are cut.
 */
#ifndef TEL_OTLP_TLS_WORDS_H
#define TEL_OTLP_TLS_WORDS_H

#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stddef.h>

/* Why the other side's certificate was refused. `host` is who was called, `authorities` where our
 * CAs are from. */
void tel__tls_describe_refusal(X509_STORE_CTX *store, const char *host, const char *authorities,
                               char *text, size_t size);

/* Describes an error of OpenSSL's queue. False when it says nothing. *lasts: trying again does not
 * help, somebody has to change something. */
bool tel__tls_describe_error(unsigned long error, char *text, size_t size, bool *lasts);

/* The first error of the queue, which is the cause of the others; empties the queue. */
void tel__tls_describe_queue(char *text, size_t size);

#endif
