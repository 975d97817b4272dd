/*
 * TLS: certificates made on the spot, a server thread, and who may talk to whom. Each case is a
 * whole export over https, so that the traps between evhttp and bufferevent_openssl are walked.
 */
#include "otlp/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "collector.h"

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char key_file[64];
    char certificate_file[64];
};

/* ---- certificates -------------------------------------------------------------------------- */

static void write_pem(struct identity *identity, const char *directory, const char *name)
{
    snprintf(identity->key_file, sizeof(identity->key_file), "%s/%s.key", directory, name);
    snprintf(identity->certificate_file, sizeof(identity->certificate_file), "%s/%s.pem", directory,
             name);
    FILE *file = fopen(identity->key_file, "w");
    assert_int_equal(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    file = fopen(identity->certificate_file, "w");
    assert_int_equal(PEM_write_X509(file, identity->certificate), 1);
    fclose(file);
}

/* A certificate with `names` as subjectAltName, signed by `issuer` (NULL: a CA of its own). */
static void make_identity(struct identity *identity, const struct identity *issuer,
                          const char *names, const char *directory, const char *name)
{
    const struct identity *signer = issuer != NULL ? issuer : identity;
    identity->key = EVP_EC_gen("P-256");
    X509 *certificate = identity->certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer != NULL ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate));
    X509_set_pubkey(certificate, identity->key);
    X509_EXTENSION *extension =
        issuer != NULL ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names)
                       : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(certificate, signer->key, EVP_sha256()) > 0);
    write_pem(identity, directory, name);
}

static void free_identity(struct identity *identity)
{
    unlink(identity->key_file);
    unlink(identity->certificate_file);
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* ---- a server ------------------------------------------------------------------------------ */

struct server {
    SSL_CTX *context;
    int listener;
    uint16_t port;
    bool close_each; /* a connection an answer */
    pthread_t thread;
    _Atomic size_t requests;
};

static bool serve_request(struct server *server, SSL *ssl)
{
    char text[65537];
    size_t length = 0;
    const char *end = NULL;
    while (end == NULL ||
           length < (size_t)(end - text) + 4 +
                        strtoul(strcasestr(text, "Content-Length:") + 15, NULL, 10)) {
        int got = SSL_read(ssl, text + length, (int)(sizeof(text) - 1 - length));
        if (got <= 0) {
            return false;
        }
        length += (size_t)got;
        text[length] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    server->requests++;
    return SSL_write(ssl, ANSWER_OK, sizeof(ANSWER_OK) - 1) > 0;
}

static void *run_server(void *argument)
{
    struct server *server = argument;
    int fd;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) { /* until the listener is shut */
        SSL *ssl = SSL_new(server->context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1) {
            while (serve_request(server, ssl) && !server->close_each) {
            }
            SSL_shutdown(ssl);
        }
        shutdown(fd, SHUT_WR); /* and read the rest: a reset could overtake the alert */
        while (read(fd, (char[512]){0}, 512) > 0) {
        }
        SSL_free(ssl);
        close(fd);
    }
    return NULL;
}

static void start_server(struct server *server, const struct identity *identity,
                         const char *client_authority, bool close_each)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    *server = (struct server){.close_each = close_each};
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, identity->certificate);
    SSL_CTX_use_PrivateKey(server->context, identity->key);
    if (client_authority != NULL) {
        SSL_CTX_load_verify_file(server->context, client_authority);
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

static void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
}

/* ---- tests --------------------------------------------------------------------------------- */

enum who { NOBODY, LOCAL, OTHER, CLIENT, IDENTITIES };

static struct identity authority;
static struct identity identities[IDENTITIES];
static char directory[] = "/tmp/test_tls.XXXXXX";

static int make_identities(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* the server here writes to whoever has gone */
    assert_non_null(mkdtemp(directory));
    make_identity(&authority, NULL, NULL, directory, "ca");
    make_identity(&identities[LOCAL], &authority, "DNS:localhost,IP:127.0.0.1", directory, "local");
    make_identity(&identities[OTHER], &authority, "DNS:other.test", directory, "other");
    make_identity(&identities[CLIENT], &authority, "DNS:client.test", directory, "client");
    return 0;
}

static int free_identities(void **state)
{
    (void)state;
    for (int i = LOCAL; i < IDENTITIES; i++) {
        free_identity(&identities[i]);
    }
    free_identity(&authority);
    return rmdir(directory);
}

struct row {
    const char *what;
    const char *host;
    enum who server;
    enum who client;         /* whose certificate the exporter shows */
    bool trusted;            /* the exporter knows the authority */
    bool client_is_required; /* by the server */
    bool close_each;
    bool works;
    const char *said; /* a part of the first message, when it does not work */
};

static const struct row rows[] = {
    {"by name", "localhost", LOCAL, NOBODY, true, false, false, true, NULL},
    {"by address", "127.0.0.1", LOCAL, NOBODY, true, false, false, true, NULL},
    {"a connection an answer", "localhost", LOCAL, NOBODY, true, false, true, true, NULL},
    {"both show who they are", "localhost", LOCAL, CLIENT, true, true, false, true, NULL},
    {"an unknown authority", "localhost", LOCAL, NOBODY, false, false, false, false,
     "certificate verify failed"},
    {"another's name", "localhost", OTHER, NOBODY, true, false, false, false,
     "certificate verify failed"},
    {"a name, but not the address", "127.0.0.1", OTHER, NOBODY, true, false, false, false,
     "certificate verify failed"},
    {"we should have shown ours", "localhost", LOCAL, NOBODY, true, true, false, false,
     "certificate required"},
};

static void run_row(const struct row *row)
{
    struct server server;
    struct messages said = {0};
    struct tel_exporter_stats stats = {0};
    char url[64];
    const struct identity *client = &identities[row->client];
    start_server(&server, &identities[row->server],
                 row->client_is_required ? authority.certificate_file : NULL, row->close_each);
    snprintf(url, sizeof(url), "https://%s:%u/v1/traces", row->host, server.port);
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(100);
    struct tel_exporter *exporter = tel_exporter_create(
        &(struct tel_exporter_options){
            .kind = TEL_EXPORTER_OTLP,
            .endpoint = url,
            .timeout_ms = 5000,
            .schedule_delay_ms = 1,
            .export_timeout_ms = 500, /* so that a failure is not tried again */
            .max_batch = 10,
            .certificate_file =
                row->trusted ? authority.certificate_file : identities[CLIENT].certificate_file,
            .client_certificate_file = row->client != NOBODY ? client->certificate_file : NULL,
            .client_key_file = row->client != NOBODY ? client->key_file : NULL,
            .diagnostic = keep_message,
            .diagnostic_argument = &said},
        tracer, resource);
    assert_non_null(exporter);
    end_spans(tracer, 40);
    assert_int_equal(tel_exporter_start(exporter), 0);
    for (int i = 0; i < 10000 && (queued_spans(tracer) > 0 || stats.inflight > 0); i++) {
        pause_ms(1);
        tel_exporter_get_stats(exporter, &stats);
    }
    tel_exporter_shutdown(exporter, 1000);
    tel_exporter_get_stats(exporter, &stats);
    if (stats.acknowledged != (row->works ? 40u : 0u) ||
        stats.failed[TEL_EXPORT_CONNECTION] != (row->works ? 0u : 40u)) {
        fail_msg("%s: acknowledged %lu, connection %lu, %s", row->what, stats.acknowledged,
                 stats.failed[TEL_EXPORT_CONNECTION], said.first);
    }
    if (!row->works && strstr(said.first, row->said) == NULL) {
        fail_msg("%s: %s", row->what, said.first);
    }
    tel_exporter_destroy(exporter);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    stop_server(&server);
    assert_int_equal(server.requests, row->works ? stats.requests - stats.retries : 0);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i]);
    }
}

static void test_unusable_files(void **state)
{
    (void)state;
    struct tel__tls_options good = {.certificate_file = authority.certificate_file,
                                    .client_key_file = identities[CLIENT].key_file,
                                    .client_certificate_file = identities[CLIENT].certificate_file};
    struct {
        struct tel__tls_options options;
        const char *message;
    } cases[] = {{good, "CA certificates /nonexistent"},
                 {good, "client certificate /nonexistent"},
                 {good, "client key /nonexistent"},
                 {good, "mismatch"},
                 {good, "needs its key"},
                 {good, "needs its key"}};
    cases[0].options.certificate_file = "/nonexistent";
    cases[1].options.client_certificate_file = "/nonexistent";
    cases[2].options.client_key_file = "/nonexistent";
    cases[3].options.client_key_file = identities[LOCAL].key_file;
    cases[4].options.client_key_file = NULL;
    cases[5].options.client_certificate_file = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char message[256];
        errno = 0;
        assert_null(tel__tls_create(&cases[i].options, message, sizeof(message)));
        assert_int_equal(errno, EINVAL);
        if (strstr(message, cases[i].message) == NULL) {
            fail_msg("%s", message);
        }
    }
    char message[256];
    tel__tls_destroy(tel__tls_create(&good, message, sizeof(message)));
    tel__tls_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unusable_files),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
