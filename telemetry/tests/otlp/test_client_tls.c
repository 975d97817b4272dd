/*
 * The HTTP client over TLS, POST by POST: how long a connection is used, and what is made of files
 * that are replaced meanwhile.
 */
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

static void on_made(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long number,
                    void *argument)
{
    (void)parent, (void)value, (void)data, (void)index, (void)number, (void)argument;
    living++;
}

static void on_freed(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long number,
                     void *argument)
{
    (void)parent, (void)value, (void)data, (void)index, (void)number, (void)argument;
    living--;
}

static int make_identities(void **state)
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

static int free_identities(void **state)
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

static void answered(const struct tel__outcome *outcome, const struct tel__bytes *body,
                     void *argument)
{
    struct bench *bench = argument;
    (void)body;
    bench->answers++;
    bench->outcome = *outcome;
}

static void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static size_t read_bytes(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[8192];
    write_bytes(to, bytes, read_bytes(from, bytes, sizeof(bytes)));
}

static void start(struct bench *bench, uint64_t max_age_ms)
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

static void finish(struct bench *bench)
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

static enum tel__outcome_kind post(struct bench *bench)
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
static void expect(struct bench *bench, size_t handshakes, const char *client)
{
    if (post(bench) != TEL__OUTCOME_ANSWER) {
        fail_msg("%s", bench->outcome.reason);
    }
    assert_int_equal(bench->server.handshakes, handshakes);
    assert_string_equal(bench->server.client, client); /* it has answered: it writes it no more */
}

static void expect_refused(struct bench *bench, const char *reason)
{
    assert_int_equal(post(bench), TEL__OUTCOME_NO_CONNECTION);
    if (strstr(bench->outcome.reason, reason) == NULL) {
        fail_msg("%s", bench->outcome.reason);
    }
}

static void expect_said(struct bench *bench, size_t count, const char *part)
{
    if (bench->said.count != count || strstr(bench->said.last, part) == NULL) {
        fail_msg("%zu messages, the last: %s", bench->said.count, bench->said.last);
    }
}

static struct bench *make_bench(const struct identity *identity, bool wants_clients)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->server.identity = identity;
    bench->server.client_authority = wants_clients ? authority.certificate_file : NULL;
    return bench;
}

/* ---- how long a connection is used --------------------------------------------------------- */

static void test_one_connection(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 0);
    for (int i = 0; i < 5; i++) {
        expect(bench, 1, "one");
    }
    finish(bench);
    assert_int_equal(bench->server.ended, 1);
    assert_int_equal(bench->said.count, 0);
    free(bench);
}

static void test_old_connection(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 50);
    expect(bench, 1, "one");
    pause_ms(60);
    expect(bench, 2, "one");
    finish(bench);
    assert_int_equal(bench->server.ended, 2);
    free(bench);
}

/* The other side hangs up, and before anybody is told the client goes: nothing is left. */
static void break_loop(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(argument);
}

static void test_destroyed_while_told(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    bench->server.manner = CLOSES_LATER;
    start(bench, 0);
    expect(bench, 1, "one");
    pause_ms(60); /* the end has arrived */
    struct event *breaker = evtimer_new(bench->base, break_loop, bench->base);
    assert_int_equal(event_add(breaker, &(struct timeval){.tv_usec = 1}), 0);
    pause_ms(20); /* libevent looks at a coarse clock */
    event_base_loop(bench->base, EVLOOP_NONBLOCK);
    assert_true(event_base_got_break(bench->base));
    event_free(breaker);
    finish(bench);
    free(bench);
}

/* ---- files that are replaced --------------------------------------------------------------- */

/* Written over in place, certificate and key one after the other. */
static void test_rotated(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 0);
    expect(bench, 1, "one");
    copy_file(client_two.key_file, bench->key);
    expect(bench, 1, "one"); /* it does not fit: the old ones stay, and so does the connection */
    expect_said(bench, 1, "TLS for it: client_key_file: /tmp/test_client_tls");
    expect_said(bench, 1, "does not belong to the certificate");
    expect_said(bench, 1, "what was read before stays in force");
    expect(bench, 1, "one");
    assert_int_equal(bench->said.count, 1); /* once */
    copy_file(client_two.certificate_file, bench->certificate);
    expect(bench, 2, "two");
    expect_said(bench, 2, "the files were replaced and are good again");
    expect(bench, 2, "two");
    assert_int_equal(bench->said.count, 2);
    finish(bench);
    assert_int_equal(bench->server.ended, 2); /* the first one in order too */
    free(bench);
}

static void make_version(const char *name, const struct identity *client)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%s/certificate", directory, name);
    copy_file(client->certificate_file, path);
    snprintf(path, sizeof(path), "%s/%s/key", directory, name);
    copy_file(client->key_file, path);
}

static void remove_version(const char *name)
{
    char path[160];
    static const char *const files[] = {"/certificate", "/key", ""};
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s%s", directory, name, files[i]);
        assert_int_equal(remove(path), 0);
    }
}

/* As a mounted secret has it: file -> current/file, current -> a folder, and one rename. */
static void link_version(const char *name)
{
    char link[160];
    char next[160];
    snprintf(link, sizeof(link), "%s/current", directory);
    snprintf(next, sizeof(next), "%s/next", directory);
    assert_int_equal(symlink(name, next), 0);
    assert_int_equal(rename(next, link), 0);
}

static void test_mounted_secret(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    char current[160];
    start(bench, 0);
    make_version("v1", &client_one);
    make_version("v2", &client_two);
    link_version("v1");
    unlink(bench->certificate);
    unlink(bench->key);
    assert_int_equal(symlink("current/certificate", bench->certificate), 0);
    assert_int_equal(symlink("current/key", bench->key), 0);
    expect(bench, 1, "one");
    expect_said(bench, 1, "the files were replaced; connections from now on use them");
    link_version("v2");
    expect(bench, 2, "two");
    expect_said(bench, 2, "the files were replaced; connections from now on use them");
    expect(bench, 2, "two");
    finish(bench);
    remove_version("v1");
    remove_version("v2");
    snprintf(current, sizeof(current), "%s/current", directory);
    unlink(current);
    free(bench);
}

/* The CA changes: at once who is not trusted any more is refused, and the other way round. */
static void test_trust_is_taken_back(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, false);
    start(bench, 0);
    expect(bench, 1, "");
    copy_file(other_authority.certificate_file, bench->trusted);
    expect_refused(bench, "certificate refused: unable to get local issuer certificate: CN=ca");
    expect_said(bench, 2, "no connection to it: certificate refused");
    expect_refused(bench, "certificate refused");
    assert_int_equal(bench->said.count, 2); /* it is no news */
    copy_file(authority.certificate_file, bench->trusted);
    expect(bench, 2, "");
    assert_int_equal(bench->said.count, 3);
    copy_file(other_authority.certificate_file, bench->trusted);
    expect_refused(bench, "certificate refused");
    expect_said(bench, 5, "no connection to it"); /* since it worked it is news again */
    finish(bench);
    free(bench);
}

/* The collector's certificate is replaced, by another CA's: known already, it goes on. */
static void test_server_rotates(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, false);
    char both[16384];
    start(bench, 0);
    expect(bench, 1, "");
    size_t length = read_bytes(authority.certificate_file, both, sizeof(both));
    length += read_bytes(other_authority.certificate_file, both + length, sizeof(both) - length);
    write_bytes(bench->trusted, both, length);
    expect(bench, 2, "");
    SSL_CTX_use_certificate(bench->server.context, other_local.certificate);
    SSL_CTX_use_PrivateKey(bench->server.context, other_local.key);
    expect(bench, 2, ""); /* the connection stands */
    write_bytes(bench->trusted, both, length);
    expect(bench, 3, "");
    finish(bench);
    free(bench);
}

/* Half a file, none at all, an empty one: told once, until one is good. */
static void test_half_written(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    char bytes[8192];
    start(bench, 0);
    expect(bench, 1, "one");
    size_t length = read_bytes(authority.certificate_file, bytes, sizeof(bytes));
    write_bytes(bench->trusted, bytes, length / 2);
    expect(bench, 1, "one");
    expect_said(bench, 1, "certificate_file: /tmp/test_client_tls");
    expect_said(bench, 1, "it holds no CA certificates that can be read");
    write_bytes(bench->trusted, "", 0);
    expect(bench, 1, "one");
    unlink(bench->trusted);
    expect(bench, 1, "one");
    assert_int_equal(bench->said.count, 1);
    write_bytes(bench->trusted, bytes, length);
    expect(bench, 2, "one");
    expect_said(bench, 2, "good again");
    finish(bench);
    free(bench);
}

/* Our certificate's end is told when it is read, and the server's refusal says the same. */
static void test_expired_client(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 0);
    expect(bench, 1, "one");
    copy_file(client_expired.key_file, bench->key);
    copy_file(client_expired.certificate_file, bench->certificate);
    assert_int_not_equal(post(bench), TEL__OUTCOME_ANSWER);
    assert_non_null(strstr(bench->outcome.reason, "our client certificate has expired"));
    assert_int_equal(bench->said.count, 3);
    assert_non_null(strstr(bench->said.first, "the files were replaced"));
    assert_non_null(strstr(bench->said.last, "no connection to it: TLS: sslv3 alert certificate "
                                             "expired (our client certificate has expired)"));
    finish(bench);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connection),       cmocka_unit_test(test_old_connection),
        cmocka_unit_test(test_destroyed_while_told), cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_mounted_secret),       cmocka_unit_test(test_trust_is_taken_back),
        cmocka_unit_test(test_server_rotates),       cmocka_unit_test(test_half_written),
        cmocka_unit_test(test_expired_client),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
