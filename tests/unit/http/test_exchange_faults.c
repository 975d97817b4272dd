/*
 * What a service may ask for to make something go wrong in a known way: a reset in place of an answer,
 * an answer that ends in the middle of its body.
 */
#include <string.h>

#include "harness.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* A reset in place of the answer: not a byte, no status, whatever was answered before it. */
static void a_reset_in_place_of_an_answer(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct harness harness;
        harness_init(&harness);
        harness_connect_tcp(&harness);
        harness_send_text(&harness, R("/"));
        harness_expect_out(&harness, HELLO);
        harness_expect_log(&harness, "open handle GET / 200 ok\n");
        harness_send_text(&harness, later ? R("/later") R("/") : R("/reset") R("/"));
        if (later) {
            http_exchange_reset(harness.waiting[0]);
        }
        harness_wait_end(&harness);
        assert_true(harness.reset);
        harness_expect_out(&harness, "");
        harness_expect_log(&harness, later ? "open handle GET /later - fault_reset\n"
                                           : "open handle GET /reset - fault_reset\n");
        assert_true(harness.last.end_ns > harness.last.read_ns);
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* Nobody is left to be reset. */
static void a_reset_of_who_has_gone(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.keeps_abandoned = true;
    harness_send_text(&harness, R("/later"));
    harness_close(&harness);
    harness_turn(&harness);
    http_exchange_reset(harness.waiting[0]);
    harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

#define CUT                                                                            \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: " \
    "close\r\n\r\nhel"

/* The client sees all up to the cut, and an end, no reset: also where it has sent more than was read. */
static void a_truncated_answer_arrives_up_to_the_cut(void **state)
{
    static const struct {
        const char *input;
        const char *log;
    } rows[] = {
        {R("/?cut"), "open handle GET /?cut 200 fault_truncated\n"},
        {R("/close?cut"), "open handle GET /close?cut 200 fault_truncated\n"},
        {R("/?cut") R("/"), "open handle GET /?cut 200 fault_truncated\n"},
        {"GET /?cut HTTP/1.0\r\n\r\nmore", "open handle GET /?cut 200 fault_truncated\n"},
        {"GET /?cut HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "open handle GET /?cut 200 fault_truncated\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_connect_tcp(&harness);
        harness_send_text(&harness, rows[i].input);
        harness_push(&harness, R("/"), strlen(R("/")));
        harness_wait_end(&harness);
        assert_false(harness.reset);
        assert_int_equal(harness.last.bytes_sent, harness.raw.length);
        harness_expect_out(&harness, CUT);
        harness_expect_log(&harness, rows[i].log);
        harness_fini(&harness);
    }
}

/* A body beside its head, more than the socket takes at once. */
static void a_large_answer_is_truncated_too(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_connect_tcp(&harness);
    harness_send_text(&harness, R("/big?cut"));
    harness_wait_end(&harness);
    assert_false(harness.reset);
    const char *body =
        (const char *)memmem(harness.raw.data, harness.raw.length, "\r\n\r\n", 4) + 4;
    const size_t length = harness.raw.length - (size_t)(body - harness.raw.data);
    assert_int_equal(length, HARNESS_BIG / 2);
    assert_int_equal(body[length - 1], 'a' + (HARNESS_BIG / 2 - 1) % 23);
    assert_non_null(memmem(harness.raw.data, 200, "Content-Length: 4000000\r\n", 25));
    harness_expect_log(&harness, "open handle GET /big?cut 200 fault_truncated\n");
    harness_fini(&harness);
}

/* No body, nothing to cut: the answer is whole, and the connection goes on. */
static void what_has_no_body_is_not_truncated(void **state)
{
    static const char *const inputs[] = {
        "HEAD /?cut HTTP/1.1\r\nHost: a\r\n\r\n",
        R("/204?cut"),
        R("/304?cut"),
        R("/echo?cut"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, inputs[i]);
        assert_int_equal(harness.last.error, HTTP_OK);
        assert_false(harness.last.last);
        tel_buffer_clear(&harness.raw);
        harness_send_text(&harness, R("/"));
        harness_expect_out(&harness, HELLO);
        harness_fini(&harness);
    }
}

/* It was cut as it was told to be once a byte of it went out; before that there was no answer. */
static void a_truncated_answer_for_nobody(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/?cut"), strlen(R("/?cut")));
    harness_close(&harness);
    harness_turn_unread(&harness);
    harness_expect_log(&harness, "open handle GET /?cut - client_disconnected\n");
    harness_connect(&harness);
    harness_push(&harness, R("/big?cut"), strlen(R("/big?cut")));
    harness_turn_unread(&harness);
    harness_close(&harness);
    harness_turn_unread(&harness);
    harness_expect_log(&harness, "open handle GET /big?cut 200 fault_truncated\n");
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_in_place_of_an_answer),
        cmocka_unit_test(a_reset_of_who_has_gone),
        cmocka_unit_test(a_truncated_answer_arrives_up_to_the_cut),
        cmocka_unit_test(a_large_answer_is_truncated_too),
        cmocka_unit_test(what_has_no_body_is_not_truncated),
        cmocka_unit_test(a_truncated_answer_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
