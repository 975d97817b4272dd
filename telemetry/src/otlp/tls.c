/*
 * Everything OpenSSL is used for. Version 1.2 is the least; a certificate is always verified: a
 * telemetry pipeline that can be read by whoever answers is worse than none.
 */
#include "otlp/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct tel__tls {
    SSL_CTX *context;
};

static void describe(const char *what, const char *file, char *message, size_t size)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
    snprintf(message, size, "%s%s%s: %s", what, file != NULL ? " " : "", file != NULL ? file : "",
             reason != NULL ? reason : "unusable");
    ERR_clear_error();
}

static int load_authorities(SSL_CTX *context, const char *file, char *message, size_t size)
{
    int loaded = file != NULL ? SSL_CTX_load_verify_file(context, file)
                              : SSL_CTX_set_default_verify_paths(context);
    if (loaded != 1) {
        describe("CA certificates", file, message, size);
        return -EINVAL;
    }
    ERR_clear_error();
    return 0;
}

static int load_identity(SSL_CTX *context, const struct tel__tls_options *options, char *message,
                         size_t size)
{
    const char *certificate = options->client_certificate_file;
    const char *key = options->client_key_file;
    if (certificate == NULL && key == NULL) {
        return 0;
    }
    if (certificate == NULL || key == NULL) {
        snprintf(message, size, "a client certificate needs its key, and a key its certificate");
        return -EINVAL;
    }
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        describe("client certificate", certificate, message, size);
        return -EINVAL;
    }
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        describe("client key", key, message, size);
        return -EINVAL;
    }
    return 0;
}

struct tel__tls *tel__tls_create(const struct tel__tls_options *options, char *message, size_t size)
{
    struct tel__tls *tls = calloc(1, sizeof(*tls));
    int error = -ENOMEM;
    snprintf(message, size, "no memory for TLS");
    if (tls == NULL) {
        goto failed;
    }
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL) {
        goto failed;
    }
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS); /* 34 KiB less while idle */
    error = load_authorities(tls->context, options->certificate_file, message, size);
    if (error == 0) {
        error = load_identity(tls->context, options, message, size);
    }
    if (error != 0) {
        goto failed;
    }
    return tls;
failed:
    tel__tls_destroy(tls);
    errno = -error;
    return NULL;
}

void tel__tls_destroy(struct tel__tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        free(tls);
    }
}

/* An address is checked against the certificate's addresses and never sent as SNI (RFC 6066 3). */
static bool set_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct bufferevent *tel__tls_bufferevent(struct tel__tls *tls, struct event_base *base,
                                         const char *host)
{
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL || !set_host(ssl, host)) {
        SSL_free(ssl);
        return NULL;
    }
    /* Deferred callbacks: evhttp resets the bufferevent within them, which must not happen while
     * libevent is in the middle of reading from it. */
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

const char *tel__tls_error(struct bufferevent *bufferevent)
{
    const char *reason = NULL;
    unsigned long error;
    while (reason == NULL && (error = bufferevent_get_openssl_error(bufferevent)) != 0) {
        reason = ERR_reason_error_string(error);
    }
    return reason;
}
