/*
 * TLS towards a collector, on bufferevent_openssl.
 *
 * How it works: one context at a time, with the CAs and our certificate; one SSL and one
 * bufferevent a connection, because libevent's does not connect twice. libevent checks no name, so
 * OpenSSL is told which one to check: the host as a DNS name, or as an address.
 *
 * The files are watched: when one was replaced, refresh makes a new context of them. If that does
 * not work, half of them may be written yet or one is broken; then the context before stays, which
 * is said once, and once again when it is over.
 *
 * Threads: one owner. Failure: create says what is wrong, by the name of the file's option.
 */
#ifndef TEL_OTLP_TLS_H
#define TEL_OTLP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "otlp/loss.h"

#define TEL__TLS_REASON_MAX 512 /* bytes of a reason for people */

struct event_base;
struct bufferevent;
struct tel__tls;

/* Paths and names are copied. A name is what messages call the file: NULL is the member's own. */
struct tel__tls_options {
    const char *certificate_file; /* CAs, or NULL for the system's */
    const char *certificate_name;
    const char *client_key_file; /* or NULL; needs the certificate, and the other way */
    const char *client_key_name;
    const char *client_certificate_file; /* a chain, ours first */
    const char *client_certificate_name;
    const struct tel__loss *loss; /* borrowed: where to say what happens, and of whom; or NULL */
};

/* NULL with errno EINVAL or ENOMEM, and *message filled. */
struct tel__tls *tel__tls_create(const struct tel__tls_options *options, char *message,
                                 size_t size);
void tel__tls_destroy(struct tel__tls *tls);

/* Looks whether files were replaced. Returns whether there is a new context since: a connection
 * made before should not be used any longer. */
bool tel__tls_refresh(struct tel__tls *tls);

/* A bufferevent for one connection to `host`, not yet connected; it closes its socket when it is
 * freed. NULL without memory. */
struct bufferevent *tel__tls_bufferevent(struct tel__tls *tls, struct event_base *base,
                                         const char *host);

/* Why the connection failed; false when TLS was not the reason. To be asked once: it says by itself
 * what lasts until somebody changes something, though not again until it works or is another. */
bool tel__tls_explain(struct tel__tls *tls, struct bufferevent *bufferevent, char *text,
                      size_t size);

/* What to say of a connection that ended before anything was sent, and without a reason: NULL when it
 * did not even come to a handshake. A server that is not content with our certificate often hangs up
 * so hastily that its alert gets lost. A static text. */
const char *tel__tls_cut_off(const struct tel__tls *tls);

/* The connection gave an answer. */
void tel__tls_worked(struct tel__tls *tls);

/* Whether the other side has been reached, and the handshake is what is still going on. */
bool tel__tls_is_shaking(struct bufferevent *bufferevent);

/* Tells the other side, as far as that goes without waiting, that the connection ends in order. */
void tel__tls_end(struct bufferevent *bufferevent);

#endif
