/*
 * Files of TLS that are replaced under the HTTP client, in place and as a mounted secret is.
 */
#include "client_tls_support.h"

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
        cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_mounted_secret),
        cmocka_unit_test(test_trust_is_taken_back),
        cmocka_unit_test(test_server_rotates),
        cmocka_unit_test(test_half_written),
        cmocka_unit_test(test_expired_client),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
