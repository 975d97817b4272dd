/*
 * TLS: who may talk to whom, and what is said when not. Each case is a whole export over https, so
 * that the traps between evhttp and bufferevent_openssl are walked.
 */
#include "otlp/tls.h"

#include "tls_support.h"

enum who {
    NOBODY,
    LOCAL,
    ONLY_NAME,
    ONLY_ADDRESS,
    OTHER,
    WILD,
    ONLY_CN,
    EXPIRED,
    EARLY,
    SELF_SIGNED,
    CLIENT,
    STRANGER,
    IDENTITIES
};

static struct identity authority;
static struct identity other_authority;
static struct identity identities[IDENTITIES];
static char directory[] = "/tmp/test_tls.XXXXXX";

static const struct identity_options wanted[IDENTITIES] = {
    [LOCAL] = {"local", "DNS:localhost,IP:127.0.0.1,IP:::1", &authority, false, 0, 0},
    [ONLY_NAME] = {"only-name", "DNS:localhost", &authority, false, 0, 0},
    [ONLY_ADDRESS] = {"only-address", "IP:127.0.0.1", &authority, false, 0, 0},
    [OTHER] = {"other", "DNS:other.test,DNS:b.test,DNS:c.test,DNS:d.test,DNS:e.test", &authority,
               false, 0, 0},
    [WILD] = {"wild", "DNS:*.otel.localhost", &authority, false, 0, 0},
    [ONLY_CN] = {"localhost", NULL, &authority, false, 0, 0},
    [EXPIRED] = {"expired", "DNS:localhost", &authority, false, -7200, -3600},
    [EARLY] = {"early", "DNS:localhost", &authority, false, 3600, 7200},
    [SELF_SIGNED] = {"self-signed", "DNS:localhost", NULL, false, 0, 0},
    [CLIENT] = {"client", "DNS:client.test", &authority, false, 0, 0},
    [STRANGER] = {"stranger", "DNS:client.test", &other_authority, false, 0, 0},
};

static int make_identities(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* the server here writes to whoever has gone */
    assert_non_null(mkdtemp(directory));
    make_identity(&authority, directory, &(struct identity_options){"ca", .authority = true});
    make_identity(&other_authority, directory,
                  &(struct identity_options){"other-ca", .authority = true});
    for (int i = LOCAL; i < IDENTITIES; i++) {
        make_identity(&identities[i], directory, &wanted[i]);
    }
    return 0;
}

static int free_identities(void **state)
{
    (void)state;
    for (int i = LOCAL; i < IDENTITIES; i++) {
        free_identity(&identities[i]);
    }
    free_identity(&authority);
    free_identity(&other_authority);
    return rmdir(directory);
}

/* ---- who may talk to whom ------------------------------------------------------------------ */

enum trust { CA, ANOTHER, ITSELF /* the server's own certificate */ };

struct row {
    const char *what;
    const char *host;
    enum who server;
    enum trust trust;
    enum who client;         /* whose certificate the exporter shows */
    bool client_is_required; /* by the server */
    enum manner manner;
    const char *said; /* a part of the first message; NULL: it works */
    const char *name; /* SNI that arrives; NULL: as the host */
};

static const struct row rows[] = {
    {"by name", "localhost", LOCAL, CA, NOBODY, false, POLITE, NULL, NULL},
    {"by a name with a dot", "localhost.", ONLY_NAME, CA, NOBODY, false, POLITE, NULL, "localhost"},
    {"by address", "127.0.0.1", ONLY_ADDRESS, CA, NOBODY, false, POLITE, NULL, ""},
    {"by wildcard", "a.otel.localhost", WILD, CA, NOBODY, false, POLITE, NULL, NULL},
    {"a connection an answer", "localhost", LOCAL, CA, NOBODY, false, CLOSES_EACH, NULL, NULL},
    {"both show who they are", "localhost", LOCAL, CA, CLIENT, true, POLITE, NULL, NULL},
    {"it asks for nothing", "localhost", LOCAL, CA, CLIENT, false, POLITE, NULL, NULL},
    {"pinned", "localhost", LOCAL, ITSELF, NOBODY, false, POLITE, NULL, NULL},
    {"pinned, self-signed", "localhost", SELF_SIGNED, ITSELF, NOBODY, false, POLITE, NULL, NULL},

    {"an unknown authority", "localhost", LOCAL, ANOTHER, NOBODY, false, POLITE,
     "certificate refused: unable to get local issuer certificate: CN=ca, who issued it, is not in "
     "/tmp/test_tls",
     NULL},
    {"self-signed", "localhost", SELF_SIGNED, CA, NOBODY, false, POLITE,
     "certificate refused: self-signed certificate: CN=self-signed, who issued it, is not in",
     NULL},
    {"another's name", "localhost", OTHER, CA, NOBODY, false, POLITE,
     "certificate refused: hostname mismatch: it is not for localhost but for DNS:other.test, "
     "DNS:b.test, DNS:c.test, DNS:d.test and 1 more",
     NULL},
    {"a name, but not the address", "127.0.0.1", ONLY_NAME, CA, NOBODY, false, POLITE,
     "certificate refused: IP address mismatch: it is not for 127.0.0.1 but for DNS:localhost", ""},
    {"an address, but not the name", "localhost", ONLY_ADDRESS, CA, NOBODY, false, POLITE,
     "hostname mismatch: it is not for localhost but for IP Address:127.0.0.1", NULL},
    {"a wildcard of another level", "a.b.otel.localhost", WILD, CA, NOBODY, false, POLITE,
     "hostname mismatch", NULL},
    {"a CN is no name", "localhost", ONLY_CN, CA, NOBODY, false, POLITE,
     "hostname mismatch: it is not for localhost but for no name: it has no subjectAltName", NULL},
    {"expired", "localhost", EXPIRED, CA, NOBODY, false, POLITE,
     "certificate refused: certificate has expired: CN=expired was valid until ", NULL},
    {"not yet valid", "localhost", EARLY, CA, NOBODY, false, POLITE,
     "certificate refused: certificate is not yet valid: CN=early is valid from ", NULL},

    {"we should have shown ours", "localhost", LOCAL, CA, NOBODY, true, POLITE,
     "TLS: tlsv13 alert certificate required (it wants a client certificate)", NULL},
    {"we should have shown ours, rash", "localhost", LOCAL, CA, NOBODY, true, IS_RASH, " want",
     NULL}, /* its alert may get lost */
    {"ours is a stranger's", "localhost", LOCAL, CA, STRANGER, true, POLITE,
     "TLS: tlsv1 alert unknown ca (it does not know the CA of our client certificate)", NULL},
    {"ours has expired", "localhost", LOCAL, CA, EXPIRED, true, POLITE, "has expired", NULL},

    {"TLS 1.1", "localhost", LOCAL, CA, NOBODY, false, IS_OLD,
     "TLS: tlsv1 alert protocol version (it offers no TLS 1.2 or newer)", NULL},
    {"no TLS at all", "localhost", LOCAL, CA, NOBODY, false, SPEAKS_PLAIN,
     "TLS: wrong version number (what answers there does not speak TLS)", NULL},
    {"hangs up", "localhost", LOCAL, CA, NOBODY, false, HANGS_UP, "it hung up", NULL},
    {"stalls", "localhost", LOCAL, CA, NOBODY, false, STALLS,
     "127.0.0.1: the TLS handshake did not end in time", NULL},
    {"ends early", "localhost", LOCAL, CA, NOBODY, false, ENDS_EARLY,
     "the connection ended before the answer did", NULL},
    {"breaks off", "localhost", LOCAL, CA, NOBODY, false, BREAKS_OFF,
     "TLS: unexpected eof while reading (it hung up)", NULL},
};

static void check_row(const struct row *row, const struct server *server,
                      const struct tel_exporter_stats *stats, const struct messages *said)
{
    uint64_t good = row->said == NULL ? 40 : 0;
    if (stats->acknowledged != good || stats->failed[TEL_EXPORT_CONNECTION] != 40 - good) {
        fail_msg("%s: acknowledged %lu, connection %lu, %s", row->what, stats->acknowledged,
                 stats->failed[TEL_EXPORT_CONNECTION], said->first);
    }
    if (row->said != NULL && strstr(said->first, row->said) == NULL &&
        strstr(said->last, row->said) == NULL) {
        fail_msg("%s: %s", row->what, said->first);
    }
    if (row->said == NULL) {
        assert_int_equal(said->count, 0);
        assert_int_equal(server->requests, stats->requests - stats->retries);
        assert_int_equal(server->handshakes, row->manner == CLOSES_EACH ? server->requests : 1);
        assert_string_equal(server->name, row->name != NULL ? row->name : row->host);
        assert_string_equal(server->protocol, "http/1.1");
        assert_string_equal(server->client, row->client_is_required ? "client" : "");
    } else if (row->manner == POLITE) {
        assert_int_equal(server->requests, 0); /* nobody has read a span */
    }
}

static void run_row(const struct row *row)
{
    struct server server = {.identity = &identities[row->server],
                            .client_authority =
                                row->client_is_required ? authority.certificate_file : NULL,
                            .manner = row->manner};
    const char *const trusted[] = {[CA] = authority.certificate_file,
                                   [ANOTHER] = other_authority.certificate_file,
                                   [ITSELF] = identities[row->server].certificate_file};
    const struct identity *client = row->client != NOBODY ? &identities[row->client] : NULL;
    struct tel_exporter_stats stats;
    struct export export;
    start_server(&server);
    start_export(&export, row->host, server.port,
                 &(struct tel_exporter_options){
                     .timeout_ms = row->manner == STALLS ? 300 : 5000,
                     .certificate_file = trusted[row->trust],
                     .client_certificate_file = client != NULL ? client->certificate_file : NULL,
                     .client_key_file = client != NULL ? client->key_file : NULL});
    export_spans(&export, 40, &stats);
    stop_export(&export);
    stop_server(&server);
    check_row(row, &server, &stats, &export.said);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i]);
    }
}

/* One handshake serves many batches, however large, also when the other side is slow to read; and
 * the end is told. */
static void test_large_and_slow(void **state)
{
    (void)state;
    struct server server = {.identity = &identities[LOCAL], .manner = READS_SLOWLY};
    struct tel_exporter_stats stats;
    struct export export;
    start_server(&server);
    start_export(&export, "localhost", server.port,
                 &(struct tel_exporter_options){.certificate_file = authority.certificate_file,
                                                .timeout_ms = 20000,
                                                .export_timeout_ms = 20000,
                                                .max_batch = 4000});
    for (int i = 0; i < 3; i++) {
        export_spans(&export, 4000, &stats);
    }
    assert_int_equal(stats.acknowledged, 12000);
    stop_export(&export);
    stop_server(&server);
    assert_int_equal(server.handshakes, 1);
    assert_int_equal(server.ended, 1);
    assert_true(server.requests >= 3);
}

/* To negotiate again is refused; the other side makes an end then, and it goes on anew. */
static void test_renegotiation(void **state)
{
    (void)state;
    struct server server = {.identity = &identities[LOCAL], .manner = RENEGOTIATES};
    struct tel_exporter_stats stats;
    struct export export;
    start_server(&server);
    start_export(&export, "localhost", server.port,
                 &(struct tel_exporter_options){.certificate_file = authority.certificate_file,
                                                .export_timeout_ms = 20000});
    export_spans(&export, 40, &stats);
    assert_int_equal(stats.acknowledged, 40);
    stop_export(&export);
    stop_server(&server);
    assert_int_equal(server.handshakes, server.connections); /* no second one on any */
}

/* ---- files --------------------------------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_encrypted_key(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, identities[CLIENT].key, EVP_aes_128_cbc(),
                                               "secret", 6, NULL, NULL),
                     1);
    fclose(file);
}

static void test_unusable_files(void **state)
{
    (void)state;
    char junk[128];
    char empty[128];
    char encrypted[128];
    const char *key = identities[CLIENT].key_file;
    const char *certificate = identities[CLIENT].certificate_file;
    const char *trusted = authority.certificate_file;
    snprintf(junk, sizeof(junk), "%s/junk", directory);
    snprintf(empty, sizeof(empty), "%s/empty", directory);
    snprintf(encrypted, sizeof(encrypted), "%s/encrypted", directory);
    write_text(junk, "-----BEGIN CERTIFICATE-----\nMIIB\n");
    write_text(empty, "");
    write_encrypted_key(encrypted);
    const struct {
        const char *authorities;
        const char *certificate;
        const char *key;
        const char *message; /* a part; NULL: it is fine */
    } cases[] = {
        {trusted, certificate, key, NULL},
        {NULL, certificate, key, NULL},
        {"/nonexistent", NULL, NULL, "THE_CA: /nonexistent: No such file or directory"},
        {"/", NULL, NULL, "THE_CA: /: Is a directory"},
        {junk, NULL, NULL, "junk: it holds no CA certificates that can be read ("},
        {empty, NULL, NULL, "empty: it holds no CA certificates that can be read ("},
        {trusted, "/nonexistent", key, "client_certificate_file: /nonexistent: No such file"},
        {trusted, junk, key, "junk: it holds no certificate that can be read ("},
        {trusted, certificate, "/nonexistent", "client_key_file: /nonexistent: No such file"},
        {trusted, certificate, junk, "junk: it holds no private key that can be read ("},
        {trusted, certificate, encrypted, "encrypted: it is encrypted"},
        {trusted, certificate, identities[LOCAL].key_file,
         "local.key: it does not belong to the certificate in /tmp/test_tls"},
        {trusted, certificate, NULL, "client_certificate_file needs client_key_file"},
        {trusted, NULL, key, "client_key_file needs client_certificate_file"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char message[512] = "";
        errno = 0;
        struct tel__tls *tls = tel__tls_create(
            &(struct tel__tls_options){.certificate_file = cases[i].authorities,
                                       .certificate_name = "THE_CA",
                                       .client_certificate_file = cases[i].certificate,
                                       .client_key_file = cases[i].key},
            message, sizeof(message));
        if (cases[i].message == NULL) {
            assert_non_null(tls);
        } else if (tls != NULL || errno != EINVAL || strstr(message, cases[i].message) == NULL) {
            fail_msg("%s: %s", cases[i].message, message);
        }
        tel__tls_destroy(tls);
    }
    unlink(junk);
    unlink(empty);
    unlink(encrypted);
}

/* ---- the system's CAs ---------------------------------------------------------------------- */

static void create_with(const char *file, const char *path, struct messages *said)
{
    struct tel__loss loss = {.diagnostic = keep_message, .argument = said, .destination = "it"};
    char message[512];
    *said = (struct messages){0};
    setenv("SSL_CERT_FILE", file, 1);
    setenv("SSL_CERT_DIR", path, 1);
    struct tel__tls *tls =
        tel__tls_create(&(struct tel__tls_options){.loss = &loss}, message, sizeof(message));
    assert_non_null(tls);
    tel__tls_destroy(tls);
}

static void test_system_authorities(void **state)
{
    (void)state;
    struct messages said;
    char hash[160];
    create_with(authority.certificate_file, "/nonexistent", &said);
    assert_int_equal(said.count, 0);
    create_with("/nonexistent", directory, &said); /* it has none under its hash */
    assert_int_equal(said.count, 1);
    assert_non_null(strstr(said.first, "TLS for it: no CA certificates are to be found in "
                                       "/nonexistent, /tmp/test_tls"));
    snprintf(hash, sizeof(hash), "%s/%08lx.0", directory,
             X509_subject_name_hash(authority.certificate));
    assert_int_equal(symlink(authority.certificate_file, hash), 0);
    create_with("/nonexistent", directory, &said);
    assert_int_equal(said.count, 0);
    snprintf(hash, sizeof(hash), "/nonexistent:%s", directory); /* a list */
    create_with("/nonexistent", hash, &said);
    assert_int_equal(said.count, 0);
    snprintf(hash, sizeof(hash), "%s/%08lx.0", directory,
             X509_subject_name_hash(authority.certificate));
    unlink(hash);
    create_with("", "", &said);
    assert_int_equal(said.count, 1);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_large_and_slow),
        cmocka_unit_test(test_renegotiation),
        cmocka_unit_test(test_unusable_files),
        cmocka_unit_test(test_system_authorities),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
