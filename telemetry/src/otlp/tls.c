/*
 * A certificate is always verified, and TLS 1.2 is the least: a telemetry pipeline that can be read
 * by whoever answers is worse than none.
 *
 * What the verifier finds is put into words when it finds it: evhttp resets the SSL before it calls
 * anybody. One owner makes one connection at a time, so one place for these words will do.
 */
#include "otlp/tls.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/addresses.h"
#include "otlp/tls_context.h"
#include "otlp/tls_words.h"

#define SAID_MAX 4

struct tel__tls {
    struct tel__tls_files files; /* their texts are ours */
    const struct tel__loss *loss;
    struct tel__tls_context context; /* in force */
    struct tel__watch watch;
    struct tel__stamps stamps; /* of the files as they were last looked at in earnest */
    bool unusable;  /* they were replaced by something that is of no use, and it was said */
    char host[256]; /* of the last connection */
    bool shaken;    /* its handshake ended well */
    char refusal[TEL__TLS_REASON_MAX]; /* of its certificate, or "" */
    char said[SAID_MAX]
             [TEL__TLS_REASON_MAX]; /* what lasts and was said; each address has its reason */
    size_t said_count;
};

/* ---- files --------------------------------------------------------------------------------- */

static const char *destination(const struct tel__tls *tls)
{
    return tls->loss->destination;
}

static bool copy(const char **to, const char *text)
{
    *to = text != NULL ? strdup(text) : NULL;
    return *to != NULL || text == NULL;
}

static bool copy_file(struct tel__tls_file *file, const char *path, const char *name,
                      const char *option)
{
    return copy(&file->path, path) && copy(&file->name, name != NULL ? name : option);
}

static bool copy_options(struct tel__tls *tls, const struct tel__tls_options *options)
{
    static const struct tel__loss nowhere = {.destination = "the collector"};
    tls->loss = options->loss != NULL ? options->loss : &nowhere;
    return copy_file(&tls->files.authorities, options->certificate_file, options->certificate_name,
                     "certificate_file") &&
           copy_file(&tls->files.key, options->client_key_file, options->client_key_name,
                     "client_key_file") &&
           copy_file(&tls->files.certificate, options->client_certificate_file,
                     options->client_certificate_name, "client_certificate_file");
}

static void say_remark(const struct tel__tls *tls)
{
    if (tls->context.message[0] != '\0') {
        tel__loss_say(tls->loss, TEL_WARN, "TLS for %s: %s", destination(tls),
                      tls->context.message);
    }
}

struct tel__tls *tel__tls_create(const struct tel__tls_options *options, char *message, size_t size)
{
    struct tel__tls *tls = calloc(1, sizeof(*tls));
    snprintf(message, size, "no memory for TLS");
    if (tls == NULL || !copy_options(tls, options)) {
        tel__tls_destroy(tls);
        errno = ENOMEM;
        return NULL;
    }
    tel__tls_context_watch(&tls->files, &tls->watch);
    tel__watch_look(&tls->watch, &tls->stamps);
    int error = tel__tls_context_make(&tls->context, &tls->files);
    if (error != 0) {
        snprintf(message, size, "%s", tls->context.message);
        tel__tls_destroy(tls);
        errno = -error;
        return NULL;
    }
    say_remark(tls);
    return tls;
}

void tel__tls_destroy(struct tel__tls *tls)
{
    if (tls == NULL) {
        return;
    }
    struct tel__tls_file *const files[] = {&tls->files.authorities, &tls->files.key,
                                           &tls->files.certificate};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        free((char *)files[i]->path);
        free((char *)files[i]->name);
    }
    SSL_CTX_free(tls->context.ssl);
    free(tls);
}

/* What was read could not be used. */
static void keep_old(struct tel__tls *tls, const char *why)
{
    if (!tls->unusable) {
        tel__loss_say(tls->loss, TEL_WARN, "TLS for %s: %s; what was read before stays in force",
                      destination(tls), why);
    }
    tls->unusable = true;
}

static void take_new(struct tel__tls *tls, const struct tel__tls_context *context)
{
    SSL_CTX_free(tls->context.ssl); /* a connection that stands keeps its own reference */
    tls->context = *context;
    tel__loss_say(tls->loss, tls->unusable ? TEL_WARN : TEL_INFO_LEVEL,
                  "TLS for %s: the files were replaced%s; connections from now on use them",
                  destination(tls), tls->unusable ? " and are good again" : "");
    tls->unusable = false;
    say_remark(tls);
}

bool tel__tls_refresh(struct tel__tls *tls)
{
    struct tel__stamps before;
    struct tel__stamps after;
    tel__watch_look(&tls->watch, &before);
    if (tel__stamps_are_equal(&tls->watch, &before, &tls->stamps)) {
        return false;
    }
    struct tel__tls_context context;
    int error = tel__tls_context_make(&context, &tls->files);
    tel__watch_look(&tls->watch, &after);
    if (!tel__stamps_are_equal(&tls->watch, &before, &after)) {
        SSL_CTX_free(context.ssl); /* they change as we read: what we have may be of two makes */
        return false;
    }
    if (error == -ENOMEM) {
        return false; /* next time, perhaps */
    }
    tls->stamps = before;
    if (error != 0) {
        keep_old(tls, context.message);
        return false;
    }
    take_new(tls, &context);
    return true;
}

/* ---- connections --------------------------------------------------------------------------- */

static int on_verified(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tel__tls *tls = SSL_get_app_data(ssl);
    if (good == 0) {
        tel__tls_describe_refusal(store, tls->host, tls->context.authorities, tls->refusal,
                                  sizeof(tls->refusal));
    }
    return good;
}

static void on_progress(const SSL *ssl, int where, int result)
{
    struct tel__tls *tls = SSL_get_app_data(ssl);
    (void)result;
    tls->shaken |= (where & SSL_CB_HANDSHAKE_DONE) != 0;
}

/* An address is checked against the certificate's addresses and never sent as SNI (RFC 6066 3); a
 * name without the dot that may end it. */
static bool set_host(struct tel__tls *tls, SSL *ssl, const char *host)
{
    snprintf(tls->host, sizeof(tls->host), "%s", host);
    if (tel__address_is_numeric(tls->host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->host) == 1;
    }
    size_t length = strlen(tls->host);
    if (length > 1 && tls->host[length - 1] == '.') {
        tls->host[length - 1] = '\0';
    }
    return SSL_set1_host(ssl, tls->host) == 1 && SSL_set_tlsext_host_name(ssl, tls->host) == 1;
}

struct bufferevent *tel__tls_bufferevent(struct tel__tls *tls, struct event_base *base,
                                         const char *host)
{
    SSL *ssl = SSL_new(tls->context.ssl);
    tls->refusal[0] = '\0';
    tls->shaken = false;
    if (ssl == NULL || !set_host(tls, ssl, host) || SSL_set_app_data(ssl, tls) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verified);
    SSL_set_info_callback(ssl, on_progress);
    /* Deferred callbacks: evhttp resets the bufferevent within them, which must not happen while
     * libevent is in the middle of reading from it. */
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static bool find_reason(struct tel__tls *tls, struct bufferevent *bufferevent, char *text,
                        size_t size, bool *lasts)
{
    bool found = false;
    *lasts = false;
    if (tls->refusal[0] != '\0') {
        snprintf(text, size, "%s", tls->refusal);
        *lasts = true;
        return true;
    }
    for (unsigned long error;
         !found && (error = bufferevent_get_openssl_error(bufferevent)) != 0;) {
        found = tel__tls_describe_error(error, text, size, lasts);
    }
    return found;
}

static bool was_said(const struct tel__tls *tls, const char *text)
{
    for (size_t i = 0; i < SAID_MAX; i++) {
        if (strcmp(tls->said[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool tel__tls_explain(struct tel__tls *tls, struct bufferevent *bufferevent, char *text,
                      size_t size)
{
    bool lasts;
    if (!find_reason(tls, bufferevent, text, size, &lasts)) {
        return false;
    }
    if (lasts && !was_said(tls, text)) {
        snprintf(tls->said[tls->said_count++ % SAID_MAX], TEL__TLS_REASON_MAX, "%s", text);
        tel__loss_say(tls->loss, TEL_WARN, "no connection to %s: %s", destination(tls), text);
    }
    return true;
}

const char *tel__tls_cut_off(const struct tel__tls *tls)
{
    if (!tls->shaken) {
        return NULL;
    }
    return tls->files.certificate.path != NULL
               ? "cut off right after the handshake (it may not accept our client certificate)"
               : "cut off right after the handshake (it may want a client certificate)";
}

void tel__tls_worked(struct tel__tls *tls)
{
    memset(tls->said, 0, sizeof(tls->said));
}

bool tel__tls_is_shaking(struct bufferevent *bufferevent)
{
    const SSL *ssl = bufferevent_openssl_get_ssl(bufferevent);
    return ssl != NULL && SSL_in_init(ssl) && !SSL_in_before(ssl);
}

void tel__tls_end(struct bufferevent *bufferevent)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bufferevent);
    if (ssl != NULL && SSL_is_init_finished(ssl)) {
        SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN); /* theirs is not waited for */
        SSL_shutdown(ssl);
        ERR_clear_error();
    }
}
