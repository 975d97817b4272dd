/*
 * Warnings about loss: one when it starts, one when it ended, however much happens between.
 */
#include "otlp/loss.h"

#include "support.h"

#define SECOND TEL_NS_PER_SECOND

static void test_an_outage(void **state)
{
    (void)state;
    struct messages said = {0};
    struct tel__loss loss = {.diagnostic = keep_message,
                             .argument = &said,
                             .records = "spans",
                             .destination = "http://c/"};
    tel__loss_delivered(&loss, 1 * SECOND);
    tel__loss_note(&loss, 2 * SECOND, 0, "unused", 0);
    assert_int_equal(said.count, 0);

    tel__loss_note(&loss, 3 * SECOND, 10, "connection refused", 0);
    assert_int_equal(said.count, 1);
    assert_string_equal(said.last, "spans for http://c/ are being lost: connection refused");
    for (uint64_t i = 4; i < 40; i++) {
        tel__loss_note(&loss, i * SECOND, 10, "HTTP status 503", 0);
    }
    tel__loss_delivered(&loss, 40 * SECOND); /* one batch came through: perhaps it is over */
    assert_int_equal(said.count, 1);
    tel__loss_note(&loss, 41 * SECOND, 5, "HTTP status 503", 0);
    tel__loss_delivered(&loss, 50 * SECOND);
    assert_int_equal(said.count, 1);
    tel__loss_delivered(&loss, 51 * SECOND); /* quiet for long enough */
    assert_int_equal(said.count, 2);
    assert_string_equal(said.last, "spans reach http://c/ again; 375 were lost");
    tel__loss_delivered(&loss, 90 * SECOND);
    tel__loss_finish(&loss, 0);
    assert_int_equal(said.count, 2);
}

/* What the tracer dropped is loss too, though no batch failed. */
static void test_full_queue(void **state)
{
    (void)state;
    struct messages said = {0};
    struct tel__loss loss = {
        .diagnostic = keep_message, .argument = &said, .records = "spans", .destination = "d"};
    tel__loss_note(&loss, SECOND, 0, "", 7);
    assert_string_equal(said.last, "spans for d are being lost: the queue is full");
    tel__loss_note(&loss, 2 * SECOND, 0, "", 7); /* the same seven */
    tel__loss_note(&loss, 3 * SECOND, 0, "", 9);
    tel__loss_delivered(&loss, 30 * SECOND);
    assert_string_equal(said.last, "spans reach d again; 9 were lost");
    tel__loss_note(&loss, 31 * SECOND, 0, "HTTP status 503", 10);
    assert_string_equal(said.last,
                        "spans for d are being lost: the queue is full; HTTP status 503");
    tel__loss_finish(&loss, 12);
    assert_string_equal(said.last, "spans for d lost until shutdown: 3");
    assert_int_equal(said.count, 4);
}

/* A collector's words go into a log line: they stay one line, and one text. */
static void test_messages_are_clean(void **state)
{
    (void)state;
    struct messages said = {0};
    struct tel__loss loss = {
        .diagnostic = keep_message, .argument = &said, .records = "spans", .destination = "d"};
    tel__loss_say(&loss, TEL_WARN, "%s",
                  "a\nb\x1b[31mc\x7f"
                  "caf\xc3\xa9");
    assert_string_equal(said.last, "a b [31mc caf\xc3\xa9");
    char text[3000];
    for (size_t i = 0; i + 1 < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    text[sizeof(text) - 2] = '\0';
    tel__loss_say(&loss, TEL_WARN, "%s", text); /* too long, and an odd number of bytes fits */
    assert_true(strlen(said.last) < 1024);
    assert_int_equal(strlen(said.last) % 2, 0);
    struct tel__loss silent = {.records = "spans", .destination = "d"};
    tel__loss_say(&silent, TEL_WARN, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outage),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_messages_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
