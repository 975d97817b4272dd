/*
 * evhttp over TLS, as libevent does it: with bufferevents of OpenSSL's. All three signals know.
 */
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "support.h"

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

static struct bufferevent *make_bufferevent(struct event_base *base, void *context)
{
    return bufferevent_openssl_socket_new(base, -1, SSL_new(context), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

/* Handshake, request and response of a client that looks at no certificate; all without blocking. */
static void ask(struct bench *bench, const char *request, char text[TEXT_MAX])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = client_connect(bench->port);
    int got = 0;
    evutil_make_socket_nonblocking(fd);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    WORK_UNTIL(bench, SSL_write(ssl, request, (int)strlen(request)) > 0);
    WORK_UNTIL(bench, (got = SSL_read(ssl, text, TEXT_MAX - 1)) > 0);
    text[got] = '\0';
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
}

static void test_scheme(void **state)
{
    struct bench *bench = *state;
    char text[TEXT_MAX];
    SSL_CTX *context = make_context();
    evhttp_set_bevcb(bench->http, make_bufferevent, context);
    ask(bench, "GET /hello HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n", text);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 ", 13), 0);
    const char *span = take_span(bench, NULL, NULL);
    assert_contains(span, " url.scheme=https ");
    assert_contains(span, " server.address=shop.test server.port=443 client.address=127.0.0.1 ");
    assert_contains(find_sample(bench, "http_server_request_duration_seconds_count"),
                    "url_scheme=\"https\"");
    assert_contains(find_sample(bench, "http_server_active_requests"), "https\"} 0");
    assert_contains(read_line(bench, 0), "\tshop.test\t200\t");
    bench_close(bench);
    SSL_CTX_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scheme, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
