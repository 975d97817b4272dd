/*
 * TLS towards a collector, on bufferevent_openssl.
 *
 * How it works: one context for the exporter's life, with the CAs and our certificate; one SSL and
 * one bufferevent a connection, because libevent's does not connect twice. libevent checks no name,
 * so OpenSSL is told which one to check: the host as a DNS name, or as an address.
 *
 * Threads: one owner. Failure: create says what OpenSSL found wrong.
 */
#ifndef TEL_OTLP_TLS_H
#define TEL_OTLP_TLS_H

#include <stddef.h>

struct event_base;
struct bufferevent;
struct tel__tls;

struct tel__tls_options {
    const char *certificate_file;        /* CAs, or NULL for the system's */
    const char *client_key_file;         /* or NULL; needs the certificate, and the other way */
    const char *client_certificate_file; /* a chain, ours first */
};

/* NULL with errno EINVAL or ENOMEM, and *message filled. */
struct tel__tls *tel__tls_create(const struct tel__tls_options *options, char *message,
                                 size_t size);
void tel__tls_destroy(struct tel__tls *tls);

/* A bufferevent for one connection to `host`, not yet connected; it closes its socket when it is
 * freed. NULL without memory. */
struct bufferevent *tel__tls_bufferevent(struct tel__tls *tls, struct event_base *base,
                                         const char *host);

/* Why a connection of this kind failed, a static text, or NULL when TLS was not the reason. */
const char *tel__tls_error(struct bufferevent *bufferevent);

#endif
