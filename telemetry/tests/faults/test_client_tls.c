/*
 * POSTs over TLS, a new connection each, with what OpenSSL, libevent and we ask for refused in turn:
 * one outcome each, nothing left behind, and the next POST works.
 */
#include "../otlp/client_tls_support.h"
#include "faults.h"

#define OPENSSL_STRIDE 211 /* calls, of some thousand a handshake */
#define TIMEOUT_MS     100 /* of a handshake that OpenSSL could not go on with */

static void try_post(struct bench *bench)
{
    static const struct tel__bytes piece = {"12345", 5};
    bench->answers = 0;
    tel__client_post(bench->client, &piece, 1, false, TIMEOUT_MS);
    for (int i = 0; i < 10000 && bench->answers == 0; i++) {
        event_base_loop(bench->base, EVLOOP_ONCE);
    }
    assert_int_equal(bench->answers, 1);
}

/* A client that makes a new connection for each POST. */
static void run(unsigned kinds, unsigned stride, unsigned long least)
{
    struct faults faults = {.kinds = kinds, .stride = stride, .keeps = true, .crowded = true};
    struct bench *bench = make_bench(&local, true);
    faults_spare_thread(true); /* the server's */
    start(bench, 1);
    faults_spare_thread(false);
    assert_int_equal(post(bench), TEL__OUTCOME_ANSWER); /* what is made once */
    while (faults_next(&faults)) {
        pause_ms(2); /* the connection is too old now */
        try_post(bench);
        faults_stop();
        if (bench->outcome.kind != TEL__OUTCOME_ANSWER && !faults_struck() &&
            bench->outcome.kind != TEL__OUTCOME_TIMEOUT) { /* a machine busy elsewhere */
            assert_non_null(strstr(bench->outcome.reason, "no connection in time"));
        }
        pause_ms(2);
        if (post(bench) != TEL__OUTCOME_ANSWER) {
            fail_msg("call %lu at %p, afterwards: %s", faults.turns, faults_where(),
                     bench->outcome.reason);
        }
    }
    assert_true(faults.turns > least);
    finish(bench);
    free(bench);
}

static void test_openssl_is_refused(void **state)
{
    (void)state;
    run(FAULTS_OPENSSL, OPENSSL_STRIDE, 500);
}

static void test_the_rest_is_refused(void **state)
{
    (void)state;
    run(FAULTS_OURS | FAULTS_LIBEVENT, 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssl_is_refused),
        cmocka_unit_test(test_the_rest_is_refused),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
