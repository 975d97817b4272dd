/*
 * OpenSSL's own messages about files are poor (`no start line`), and it would ask at the terminal
 * for the passphrase of a key: so a file is first opened here, and nobody is asked anything.
 */
#include "otlp/tls_context.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/tls_words.h"

/* Where CAs lie in one file: Debian, Alpine and images from scratch; Fedora; SUSE; RHEL; BSD. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
};
#define BUNDLES (sizeof(bundles) / sizeof(bundles[0]))

/* ---- complaints ---------------------------------------------------------------------------- */

static int complain(struct tel__tls_context *context, const struct tel__tls_file *file,
                    const char *what)
{
    snprintf(context->message, sizeof(context->message), "%s: %s: %s", file->name, file->path,
             what);
    ERR_clear_error();
    return -EINVAL;
}

/* The same with what OpenSSL says. */
static int complain_of_content(struct tel__tls_context *context, const struct tel__tls_file *file,
                               const char *what)
{
    char reason[128];
    char text[256];
    tel__tls_describe_queue(reason, sizeof(reason));
    snprintf(text, sizeof(text), "%s (%s)", what, reason);
    return complain(context, file, text);
}

/* Returns 0 when the file can be read at all. */
static int check_readable(struct tel__tls_context *context, const struct tel__tls_file *file)
{
    FILE *stream = fopen(file->path, "re");
    int error = stream == NULL ? errno : 0;
    if (stream != NULL) {
        errno = 0;
        if (fgetc(stream) == EOF) {
            error = errno;
        }
        fclose(stream);
    }
    return error != 0 ? complain(context, file, strerror(error)) : 0;
}

/* ---- whom we trust ------------------------------------------------------------------------- */

static const char *system_file(void)
{
    const char *file = getenv(X509_get_default_cert_file_env());
    return file != NULL ? file : X509_get_default_cert_file();
}

static const char *system_directories(void)
{
    const char *directories = getenv(X509_get_default_cert_dir_env());
    return directories != NULL ? directories : X509_get_default_cert_dir();
}

static bool is_chosen(void)
{
    return getenv(X509_get_default_cert_file_env()) != NULL ||
           getenv(X509_get_default_cert_dir_env()) != NULL;
}

/* A CA in a directory is found by the hash of its name: `6b99d060.0`. */
static bool is_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

static bool has_hashes(const char *path)
{
    DIR *directory = opendir(path);
    bool found = false;
    if (directory == NULL) {
        return false;
    }
    for (const struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        found = is_hash(entry->d_name);
    }
    closedir(directory);
    return found;
}

static void add_source(struct tel__tls_context *context, const char *path)
{
    size_t length = strlen(context->authorities);
    snprintf(context->authorities + length, sizeof(context->authorities) - length, "%s%s",
             length > 0 ? " and " : "", path);
}

static bool load_file(struct tel__tls_context *context, const char *path)
{
    bool loaded = path[0] != '\0' && SSL_CTX_load_verify_file(context->ssl, path) == 1;
    ERR_clear_error();
    if (loaded) {
        add_source(context, path);
    }
    return loaded;
}

static bool load_directories(struct tel__tls_context *context, const char *list)
{
    bool loaded = false;
    for (size_t length; *list != '\0'; list += length + (list[length] == ':')) {
        char path[256];
        length = strcspn(list, ":");
        if (length < sizeof(path)) {
            memcpy(path, list, length);
            path[length] = '\0';
            if (has_hashes(path) && SSL_CTX_load_verify_dir(context->ssl, path) == 1) {
                add_source(context, path);
                loaded = true;
            }
        }
    }
    ERR_clear_error();
    return loaded;
}

/* What the environment names replaces what OpenSSL was built with, each for itself; and then
 * nothing else is guessed. */
static void load_system_authorities(struct tel__tls_context *context)
{
    bool loaded = load_file(context, system_file());
    loaded = load_directories(context, system_directories()) || loaded;
    for (size_t i = 0; i < BUNDLES && !loaded && !is_chosen(); i++) {
        loaded = load_file(context, bundles[i]);
    }
    if (!loaded) {
        add_source(context, "any file (there are no CA certificates)");
        snprintf(context->message, sizeof(context->message),
                 "no CA certificates are to be found in %s, %s%s, so every collector is refused; "
                 "name a file of them by OTEL_EXPORTER_OTLP_CERTIFICATE or SSL_CERT_FILE",
                 system_file(), system_directories(), is_chosen() ? "" : " nor any usual place");
    }
}

static int load_authorities(struct tel__tls_context *context, const struct tel__tls_file *file)
{
    if (file->path == NULL) {
        load_system_authorities(context);
        return 0;
    }
    int error = check_readable(context, file);
    if (error == 0 && SSL_CTX_load_verify_file(context->ssl, file->path) != 1) {
        error = complain_of_content(context, file, "it holds no CA certificates that can be read");
    }
    snprintf(context->authorities, sizeof(context->authorities), "%s", file->path);
    return error;
}

/* ---- who we are ---------------------------------------------------------------------------- */

/* Instead of OpenSSL's, which asks at the terminal. */
static int on_passphrase(char *text, int size, int writing, void *argument)
{
    (void)text;
    (void)size;
    (void)writing;
    bool *asked = argument;
    *asked = true;
    return -1;
}

static int load_key(struct tel__tls_context *context, const struct tel__tls_files *files)
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context->ssl, on_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context->ssl, &asked);
    int loaded = SSL_CTX_use_PrivateKey_file(context->ssl, files->key.path, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(context->ssl, NULL);
    if (loaded == 1 && SSL_CTX_check_private_key(context->ssl) == 1) {
        return 0;
    }
    if (asked) {
        return complain(context, &files->key,
                        "it is encrypted, and nobody is asked for a passphrase: give a plain one");
    }
    if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509) {
        char text[384];
        snprintf(text, sizeof(text), "it does not belong to the certificate in %s",
                 files->certificate.path);
        return complain_of_content(context, &files->key, text);
    }
    return complain_of_content(context, &files->key, "it holds no private key that can be read");
}

static void remark_expiry(struct tel__tls_context *context, const struct tel__tls_file *file)
{
    const X509 *certificate = SSL_CTX_get0_certificate(context->ssl);
    if (certificate != NULL && context->message[0] == '\0' &&
        X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        snprintf(context->message, sizeof(context->message), "%s: %s: this certificate has expired",
                 file->name, file->path);
    }
}

static int load_identity(struct tel__tls_context *context, const struct tel__tls_files *files)
{
    const struct tel__tls_file *certificate = &files->certificate;
    if (certificate->path == NULL && files->key.path == NULL) {
        return 0;
    }
    if (certificate->path == NULL || files->key.path == NULL) {
        bool has_key = files->key.path != NULL;
        snprintf(context->message, sizeof(context->message), "%s needs %s, which is not set",
                 has_key ? files->key.name : certificate->name,
                 has_key ? certificate->name : files->key.name);
        return -EINVAL;
    }
    int error = check_readable(context, certificate);
    if (error == 0) {
        error = check_readable(context, &files->key);
    }
    if (error == 0 && SSL_CTX_use_certificate_chain_file(context->ssl, certificate->path) != 1) {
        error =
            complain_of_content(context, certificate, "it holds no certificate that can be read");
    }
    if (error == 0) {
        error = load_key(context, files);
    }
    if (error == 0) {
        remark_expiry(context, certificate);
    }
    return error;
}

/* ---- public -------------------------------------------------------------------------------- */

/* Every connection proves anew who answers: no session is taken up again. A certificate in the file
 * is trusted, be it a root or not. */
static void set_rules(SSL_CTX *ssl)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS); /* 34 KiB less while idle */
    SSL_CTX_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(ssl),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

int tel__tls_context_make(struct tel__tls_context *context, const struct tel__tls_files *files)
{
    context->authorities[0] = context->message[0] = '\0';
    ERR_clear_error();
    context->ssl = SSL_CTX_new(TLS_client_method());
    if (context->ssl == NULL) {
        snprintf(context->message, sizeof(context->message), "no memory for TLS");
        return -ENOMEM;
    }
    set_rules(context->ssl);
    int error = load_authorities(context, &files->authorities);
    if (error == 0) {
        error = load_identity(context, files);
    }
    if (error != 0) {
        SSL_CTX_free(context->ssl);
        context->ssl = NULL;
    }
    ERR_clear_error();
    return error;
}

void tel__tls_context_watch(const struct tel__tls_files *files, struct tel__watch *watch)
{
    if (files->authorities.path != NULL) {
        tel__watch_add(watch, files->authorities.path);
    } else {
        tel__watch_add(watch, system_file());
        tel__watch_add(watch, system_directories());
        for (size_t i = 0; i < BUNDLES && !is_chosen(); i++) {
            tel__watch_add(watch, bundles[i]);
        }
    }
    tel__watch_add(watch, files->key.path);
    tel__watch_add(watch, files->certificate.path);
}
