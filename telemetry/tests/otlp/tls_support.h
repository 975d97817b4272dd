/*
 * TLS for tests: certificates made on the spot, and a server thread that keeps to the rules or
 * breaks them. It serves one connection after another, as an exporter makes them.
 */
#ifndef TEL_TESTS_OTLP_TLS_SUPPORT_H
#define TEL_TESTS_OTLP_TLS_SUPPORT_H

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/stat.h>

#include "collector.h"

/* ---- certificates -------------------------------------------------------------------------- */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char key_file[128];
    char certificate_file[128];
};

struct identity_options {
    const char *name;              /* CN, and of the files */
    const char *names;             /* subjectAltName; NULL: none */
    const struct identity *issuer; /* NULL: itself */
    bool authority;
    long from_s; /* of its validity, from now; both 0: an hour around it */
    long until_s;
};

static inline void write_pem(const struct identity *identity)
{
    FILE *file = fopen(identity->key_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    file = fopen(identity->certificate_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, identity->certificate), 1);
    fclose(file);
}

static inline void add_extension(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Makes key and certificate and writes them as DIRECTORY/NAME.key and .pem. */
static inline void make_identity(struct identity *identity, const char *directory,
                                 const struct identity_options *options)
{
    static long serial = 1;
    bool usual = options->from_s == 0 && options->until_s == 0;
    const struct identity *signer = options->issuer != NULL ? options->issuer : identity;
    identity->key = EVP_EC_gen("P-256");
    X509 *certificate = identity->certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), usual ? -3600 : options->from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), usual ? 3600 : options->until_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)options->name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate));
    X509_set_pubkey(certificate, identity->key);
    if (options->authority) {
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (options->names != NULL) {
        add_extension(certificate, NID_subject_alt_name, options->names);
    }
    assert_true(X509_sign(certificate, signer->key, EVP_sha256()) > 0);
    snprintf(identity->key_file, sizeof(identity->key_file), "%s/%s.key", directory, options->name);
    snprintf(identity->certificate_file, sizeof(identity->certificate_file), "%s/%s.pem", directory,
             options->name);
    write_pem(identity);
}

static inline void free_identity(struct identity *identity)
{
    unlink(identity->key_file);
    unlink(identity->certificate_file);
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* ---- a server ------------------------------------------------------------------------------ */

/* What it does instead of serving all that comes. */
enum manner {
    POLITE,
    CLOSES_EACH,  /* connection after an answer */
    CLOSES_LATER, /* a moment after it */
    STALLS,       /* says nothing, not even hello */
    HANGS_UP,     /* at once */
    SPEAKS_PLAIN, /* HTTP */
    IS_OLD,       /* TLS 1.1 is its best */
    RENEGOTIATES, /* asks for it before an answer, with TLS 1.2 */
    ENDS_EARLY,   /* in the middle of the answer, in order */
    BREAKS_OFF,   /* the same without a word */
    IS_RASH,      /* closes without reading what still comes, which makes a reset of it */
    READS_SLOWLY
};

struct server {
    const struct identity *identity;
    const char *client_authority; /* whose clients it wants, or NULL */
    enum manner manner;
    SSL_CTX *context;
    int listener;
    uint16_t port;
    pthread_t thread;
    _Atomic size_t connections;
    _Atomic size_t handshakes; /* that ended well */
    _Atomic size_t ended;      /* connections that were closed by a close_notify */
    _Atomic size_t requests;   /* read whole */
    char name[256];            /* SNI of the last handshake, or ""; read it after stop */
    char protocol[32];         /* ALPN of it */
    char client[64];           /* CN of its client's certificate */
};

static inline bool read_request(struct server *server, SSL *ssl)
{
    static char text[4u << 20];
    size_t length = 0;
    const char *end = NULL;
    while (end == NULL ||
           length < (size_t)(end - text) + 4 +
                        strtoul(strcasestr(text, "Content-Length:") + 15, NULL, 10)) {
        size_t room = sizeof(text) - 1 - length;
        if (server->manner == READS_SLOWLY) {
            pause_ms(1);
            room = room < 30000 ? room : 30000;
        }
        int got = SSL_read(ssl, text + length, (int)room);
        if (got <= 0) {
            server->ended += SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
            return false;
        }
        length += (size_t)got;
        text[length] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    server->requests++;
    return true;
}

/* One request and its answer; false when the connection is over. */
static inline bool serve_request(struct server *server, SSL *ssl)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\x0a";
    if (!read_request(server, ssl)) {
        return false;
    }
    if (server->manner == ENDS_EARLY || server->manner == BREAKS_OFF) {
        SSL_write(ssl, half, sizeof(half) - 1);
        return false;
    }
    if (server->manner == RENEGOTIATES && SSL_renegotiate(ssl) == 1) {
        SSL_do_handshake(ssl); /* sends the request; whatever comes back is read with the next */
    }
    bool written = SSL_write(ssl, ANSWER_OK, sizeof(ANSWER_OK) - 1) > 0;
    pause_ms(server->manner == CLOSES_LATER ? 20 : 0);
    return written && server->manner != CLOSES_EACH && server->manner != CLOSES_LATER;
}

static inline void remember(struct server *server, SSL *ssl)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *protocol;
    unsigned length;
    const X509 *client = SSL_get0_peer_certificate(ssl);
    SSL_get0_alpn_selected(ssl, &protocol, &length);
    snprintf(server->name, sizeof(server->name), "%s", name != NULL ? name : "");
    snprintf(server->protocol, sizeof(server->protocol), "%.*s", (int)length, protocol);
    server->client[0] = '\0';
    if (client != NULL) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, server->client,
                                  sizeof(server->client));
    }
    server->handshakes++;
}

static inline void serve_tls(struct server *server, int fd)
{
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        remember(server, ssl);
        while (serve_request(server, ssl)) {
        }
        if (server->manner != BREAKS_OFF) {
            SSL_shutdown(ssl);
        }
    }
    SSL_free(ssl);
}

static inline void serve_connection(struct server *server, int fd)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    server->connections++;
    if (server->manner == SPEAKS_PLAIN) {
        send(fd, refusal, sizeof(refusal) - 1, MSG_NOSIGNAL);
    } else if (server->manner != STALLS && server->manner != HANGS_UP) {
        serve_tls(server, fd);
    }
    if (server->manner == IS_RASH) {
        close(fd);
        return;
    }
    if (server->manner != STALLS) {
        shutdown(fd, SHUT_WR); /* and read the rest: a reset could overtake the alert */
    }
    while (read(fd, (char[512]){0}, 512) > 0) {
    }
    close(fd);
}

static inline void *run_server(void *argument)
{
    struct server *server = argument;
    int fd;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) { /* until the listener is shut */
        serve_connection(server, fd);
    }
    return NULL;
}

static inline int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
                                  const unsigned char *offered, unsigned offered_length,
                                  void *argument)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    (void)ssl;
    (void)argument;
    return SSL_select_next_proto((unsigned char **)out, length, ours, sizeof(ours) - 1, offered,
                                 offered_length) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* `identity`, `client_authority` and `manner` are set. */
static inline void start_server(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, server->identity->certificate);
    SSL_CTX_use_PrivateKey(server->context, server->identity->key);
    SSL_CTX_set_alpn_select_cb(server->context, select_protocol, NULL);
    if (server->manner == IS_OLD) {
        SSL_CTX_set_security_level(server->context, 0);
        SSL_CTX_set_min_proto_version(server->context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(server->context, TLS1_1_VERSION);
    } else if (server->manner == RENEGOTIATES) {
        SSL_CTX_set_max_proto_version(server->context, TLS1_2_VERSION);
    }
    if (server->client_authority != NULL) {
        SSL_CTX_load_verify_file(server->context, server->client_authority);
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    getsockname(server->listener, (struct sockaddr *)&address, &length);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
}

static inline void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
}

/* ---- an exporter --------------------------------------------------------------------------- */

struct export
{
    struct tel_resource *resource;
    struct tel_tracer *tracer;
    struct tel_exporter *exporter;
    struct messages said;
};

/* Starts an exporter to the server under a host name; `files` has the three files alone. */
static inline void start_export(struct export *export, const char *host, uint16_t port,
                                const struct tel_exporter_options *files)
{
    char url[128];
    struct tel_exporter_options options = *files;
    snprintf(url, sizeof(url), "https://%s:%u/v1/traces", host, port);
    *export = (struct export){.resource = make_resource(), .tracer = make_tracer(4000)};
    options.kind = TEL_EXPORTER_OTLP;
    options.endpoint = url;
    options.schedule_delay_ms = 1;
    options.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : 5000;
    /* so that a failure is not tried again */
    options.export_timeout_ms = options.export_timeout_ms > 0 ? options.export_timeout_ms : 500;
    options.max_batch = options.max_batch > 0 ? options.max_batch : 10;
    options.diagnostic = keep_message;
    options.diagnostic_argument = &export->said;
    export->exporter = tel_exporter_create(&options, export->tracer, export->resource);
    assert_non_null(export->exporter);
    assert_int_equal(tel_exporter_start(export->exporter), 0);
}

/* Ends spans and waits until each has its fate. */
static inline void export_spans(struct export *export, size_t count,
                                struct tel_exporter_stats *stats)
{
    end_spans(export->tracer, count);
    for (int i = 0; i < 20000; i++) {
        tel_exporter_get_stats(export->exporter, stats);
        if (queued_spans(export->tracer) == 0 && stats->inflight == 0) {
            break;
        }
        pause_ms(1);
    }
    tel_exporter_get_stats(export->exporter, stats);
}

static inline void stop_export(struct export *export)
{
    tel_exporter_shutdown(export->exporter, 1000);
    tel_exporter_destroy(export->exporter);
    tel_tracer_destroy(export->tracer);
    tel_resource_destroy(export->resource);
}

#endif
