/*
 * A client over TLS for tests: certificates, a server, and a client that is turned POST by POST.
 */
#ifndef TEL_TESTS_OTLP_CLIENT_TLS_SUPPORT_H
#define TEL_TESTS_OTLP_CLIENT_TLS_SUPPORT_H

#include "otlp/client.h"

#include <event2/event.h>

#include "tls_support.h"

static struct identity authority;
static struct identity other_authority;
static struct identity local;       /* of the first authority */
static struct identity other_local; /* of the other */
static struct identity client_one;
static struct identity client_two;
static struct identity client_expired;
static char directory[] = "/tmp/test_client_tls.XXXXXX";

/* Counts the SSL that live, ours and the server's: what is left over can be reached from the stack
 * often enough for a sanitizer to miss it. */
static _Atomic long living;

static inline void on_made(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long number,
                           void *argument)
{
    (void)parent, (void)value, (void)data, (void)index, (void)number, (void)argument;
    living++;
}

static inline void on_freed(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long number,
                            void *argument)
{
    (void)parent, (void)value, (void)data, (void)index, (void)number, (void)argument;
    living--;
}

static inline int make_identities(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_true(SSL_get_ex_new_index(0, NULL, on_made, NULL, on_freed) >= 0);
    assert_non_null(mkdtemp(directory));
    make_identity(&authority, directory, &(struct identity_options){"ca", .authority = true});
    make_identity(&other_authority, directory,
                  &(struct identity_options){"other-ca", .authority = true});
    make_identity(&local, directory,
                  &(struct identity_options){"local", "DNS:localhost", &authority, false, 0, 0});
    make_identity(
        &other_local, directory,
        &(struct identity_options){"other-local", "DNS:localhost", &other_authority, false, 0, 0});
    make_identity(&client_one, directory,
                  &(struct identity_options){"one", NULL, &authority, false, 0, 0});
    make_identity(&client_two, directory,
                  &(struct identity_options){"two", NULL, &authority, false, 0, 0});
    make_identity(&client_expired, directory,
                  &(struct identity_options){"gone", NULL, &authority, false, -7200, -3600});
    return 0;
}

static inline int free_identities(void **state)
{
    (void)state;
    struct identity *const all[] = {&authority,  &other_authority, &local,         &other_local,
                                    &client_one, &client_two,      &client_expired};
    for (size_t i = 0; i < COUNT(all); i++) {
        free_identity(all[i]);
    }
    return rmdir(directory);
}

/* ---- a client ------------------------------------------------------------------------------ */

struct bench {
    struct event_base *base;
    struct server server;
    struct tel__endpoint endpoint;
    struct tel__headers headers;
    struct messages said;
    struct tel__loss loss;
    struct tel__tls *tls;
    struct tel__client *client;
    /* what the client reads: copies or links */
    char trusted[128];
    char certificate[128];
    char key[128];
    size_t answers;
    struct tel__outcome outcome;
};

static inline void answered(const struct tel__outcome *outcome, const struct tel__bytes *body,
                            void *argument)
{
    struct bench *bench = argument;
    (void)body;
    bench->answers++;
    bench->outcome = *outcome;
}

static inline void write_bytes(const char *path, const char *bytes, size_t length)
{
    pause_ms(12); /* or it could bear the same time as what it replaces: that clock is coarse */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline size_t read_bytes(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static inline void copy_file(const char *from, const char *to)
{
    char bytes[8192];
    write_bytes(to, bytes, read_bytes(from, bytes, sizeof(bytes)));
}

static inline void start(struct bench *bench, uint64_t max_age_ms)
{
    const char *reason;
    char url[64];
    char message[512];
    start_server(&bench->server);
    snprintf(url, sizeof(url), "https://localhost:%u/", bench->server.port);
    snprintf(bench->trusted, sizeof(bench->trusted), "%s/trusted", directory);
    snprintf(bench->certificate, sizeof(bench->certificate), "%s/certificate", directory);
    snprintf(bench->key, sizeof(bench->key), "%s/key", directory);
    copy_file(authority.certificate_file, bench->trusted);
    copy_file(client_one.certificate_file, bench->certificate);
    copy_file(client_one.key_file, bench->key);
    assert_int_equal(tel__endpoint_parse(url, &bench->endpoint, &reason), 0);
    bench->base = event_base_new();
    bench->loss = (struct tel__loss){
        .diagnostic = keep_message, .argument = &bench->said, .destination = "it"};
    bench->tls =
        tel__tls_create(&(struct tel__tls_options){.certificate_file = bench->trusted,
                                                   .client_key_file = bench->key,
                                                   .client_certificate_file = bench->certificate,
                                                   .loss = &bench->loss},
                        message, sizeof(message));
    assert_non_null(bench->tls);
    bench->client = tel__client_create(&(struct tel__client_options){.base = bench->base,
                                                                     .endpoint = &bench->endpoint,
                                                                     .headers = &bench->headers,
                                                                     .tls = bench->tls,
                                                                     .user_agent = "test",
                                                                     .content_type = "text/plain",
                                                                     .answered = answered,
                                                                     .max_age_ms = max_age_ms,
                                                                     .argument = bench});
    assert_non_null(bench->client);
}

static inline void finish(struct bench *bench)
{
    tel__client_destroy(bench->client);
    tel__tls_destroy(bench->tls);
    event_base_free(bench->base);
    stop_server(&bench->server);
    assert_int_equal(living, 0);
    unlink(bench->trusted);
    unlink(bench->certificate);
    unlink(bench->key);
}

static inline enum tel__outcome_kind post(struct bench *bench)
{
    static const struct tel__bytes piece = {"12345", 5};
    bench->answers = 0;
    tel__client_post(bench->client, &piece, 1, false, 10000);
    for (int i = 0; i < 10000 && bench->answers == 0; i++) {
        event_base_loop(bench->base, EVLOOP_ONCE);
    }
    assert_int_equal(bench->answers, 1);
    return bench->outcome.kind;
}

/* Posts, and that is to go well on the `handshakes`-th connection, with that client's certificate. */
static inline void expect(struct bench *bench, size_t handshakes, const char *client)
{
    if (post(bench) != TEL__OUTCOME_ANSWER) {
        fail_msg("%s", bench->outcome.reason);
    }
    assert_int_equal(bench->server.handshakes, handshakes);
    assert_string_equal(bench->server.client, client); /* it has answered: it writes it no more */
}

static inline void expect_refused(struct bench *bench, const char *reason)
{
    assert_int_equal(post(bench), TEL__OUTCOME_NO_CONNECTION);
    if (strstr(bench->outcome.reason, reason) == NULL) {
        fail_msg("%s", bench->outcome.reason);
    }
}

static inline void expect_said(struct bench *bench, size_t count, const char *part)
{
    if (bench->said.count != count || strstr(bench->said.last, part) == NULL) {
        fail_msg("%zu messages, the last: %s", bench->said.count, bench->said.last);
    }
}

static inline struct bench *make_bench(const struct identity *identity, bool wants_clients)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->server.identity = identity;
    bench->server.client_authority = wants_clients ? authority.certificate_file : NULL;
    return bench;
}

#endif
