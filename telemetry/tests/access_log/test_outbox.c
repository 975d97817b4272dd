/*
 * The outbox: the order in which bytes leave, and when a line counts.
 */
#include "support.h"

#include "access_log/outbox.h"

static int set_up(void **state)
{
    static struct tel__outbox outbox;
    *state = &outbox;
    return tel__outbox_init(&outbox, 4096, 1024);
}

static int tear_down(void **state)
{
    tel__outbox_fini(*state);
    return 0;
}

static void head(struct tel__outbox *outbox, const char *bytes)
{
    tel_buffer_append_string(&outbox->head.bytes, bytes);
}

static void lines(struct tel__outbox *outbox, const char *bytes)
{
    tel_buffer_append_string(&outbox->lines.bytes, bytes);
}

static void assert_next(const struct tel__outbox *outbox, const char *expected)
{
    struct tel_text next = tel__outbox_next(outbox);
    assert_int_equal(next.length, strlen(expected));
    if (next.length > 0) {
        assert_memory_equal(next.data, expected, next.length);
    }
}

static void test_head_goes_first(void **state)
{
    struct tel__outbox *outbox = *state;
    assert_next(outbox, "");
    lines(outbox, "a\nbb\n");
    assert_next(outbox, "a\nbb\n");
    head(outbox, "#x\n");
    assert_true(tel__outbox_has_head(outbox));
    assert_next(outbox, "#x\n");
    assert_int_equal(tel__outbox_take(outbox, 3), 0); /* a directive is no line */
    assert_false(tel__outbox_has_head(outbox));
    assert_next(outbox, "a\nbb\n");
    assert_int_equal(tel__outbox_take(outbox, 5), 2);
    assert_false(tel__outbox_has_lines(outbox));
    assert_next(outbox, "");
}

/* A line counts when its newline was taken. */
static void test_lines_count_whole(void **state)
{
    struct tel__outbox *outbox = *state;
    static const struct {
        size_t taken;
        uint64_t lines;
        size_t torn;
        const char *rest;
    } steps[] = {
        {1, 0, 1, "a\nbbb\ncc\n"}, {1, 0, 2, "\nbbb\ncc\n"}, {1, 1, 0, "bbb\ncc\n"},
        {2, 0, 2, "b\ncc\n"},      {4, 1, 2, "\n"},          {1, 1, 0, ""},
    };
    lines(outbox, "aa\nbbb\ncc\n");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(tel__outbox_take(outbox, steps[i].taken), steps[i].lines);
        assert_int_equal(tel__outbox_torn(outbox), steps[i].torn);
        assert_next(outbox, steps[i].rest);
    }
}

/* A line that was begun is completed before a directive comes between. */
static void test_torn_line_is_completed_first(void **state)
{
    struct tel__outbox *outbox = *state;
    lines(outbox, "aaaa\nbbbb\n");
    tel__outbox_take(outbox, 2);
    head(outbox, "#x\n#y\n");
    assert_next(outbox, "aa\n");
    assert_int_equal(tel__outbox_take(outbox, 1), 0);
    assert_next(outbox, "a\n");
    assert_int_equal(tel__outbox_take(outbox, 2), 1);
    assert_next(outbox, "#x\n#y\n");
    tel__outbox_take(outbox, 1);
    assert_int_equal(tel__outbox_torn(outbox), 1);
    assert_next(outbox, "x\n#y\n");
    tel__outbox_take(outbox, 5);
    assert_next(outbox, "bbbb\n");
}

/* More lines may be appended behind a torn one. */
static void test_lines_behind_a_torn_one(void **state)
{
    struct tel__outbox *outbox = *state;
    lines(outbox, "aaaa\n");
    tel__outbox_take(outbox, 2);
    lines(outbox, "bb\n");
    assert_next(outbox, "aa\nbb\n");
    assert_int_equal(tel__outbox_take(outbox, 6), 2);
}

/* Taken off the file again, the line is sent from its start. */
static void test_restart(void **state)
{
    struct tel__outbox *outbox = *state;
    lines(outbox, "aaaa\nbbbb\n");
    tel__outbox_take(outbox, 7);
    assert_next(outbox, "bb\n");
    tel__outbox_restart_torn(outbox);
    assert_next(outbox, "bbbb\n");
    assert_int_equal(tel__outbox_torn(outbox), 0);
    tel__outbox_restart_torn(outbox); /* nothing is torn: nothing happens */
    assert_next(outbox, "bbbb\n");
    assert_int_equal(tel__outbox_take(outbox, 5), 1);

    head(outbox, "#x\n#y\n");
    tel__outbox_take(outbox, 5);
    tel__outbox_restart_torn(outbox);
    assert_next(outbox, "#y\n");
}

/* What was not begun is dropped; what was begun must be completed whatever happens. */
static void test_drop(void **state)
{
    struct tel__outbox *outbox = *state;
    static const struct {
        size_t taken; /* of "aa\nbbb\ncc\n" */
        uint64_t dropped;
        const char *kept;
    } cases[] = {
        {0, 3, ""}, {1, 2, "a\n"}, {3, 2, ""}, {4, 1, "bb\n"}, {7, 1, ""}, {8, 0, "c\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lines(outbox, "aa\nbbb\ncc\n");
        tel__outbox_take(outbox, cases[i].taken);
        head(outbox, "#x\n");
        assert_int_equal(tel__outbox_drop(outbox), cases[i].dropped);
        assert_false(tel__outbox_has_head(outbox));
        assert_next(outbox, cases[i].kept);
        assert_int_equal(tel__outbox_take(outbox, strlen(cases[i].kept)), cases[i].kept[0] != '\0');
        assert_next(outbox, "");
    }
}

static void test_drop_keeps_a_torn_head(void **state)
{
    struct tel__outbox *outbox = *state;
    head(outbox, "#x\n");
    lines(outbox, "a\n");
    tel__outbox_take(outbox, 1);
    assert_int_equal(tel__outbox_drop(outbox), 1);
    assert_next(outbox, "x\n");
    tel__outbox_clear_head(outbox);
    assert_next(outbox, "");
}

/* There is room until a batch is full, and then for one line more. */
static void test_room(void **state)
{
    struct tel__outbox *outbox = *state;
    char line[1025];
    memset(line, 'x', sizeof(line));
    line[1023] = '\n';
    line[1024] = '\0';
    size_t appended = 0;
    while (tel__outbox_has_room(outbox)) {
        lines(outbox, line);
        appended++;
    }
    assert_int_equal(outbox->lines.bytes.error, 0);
    assert_int_equal(appended, TEL__BATCH_BYTES / 1024);
    lines(outbox, line);
    assert_int_equal(outbox->lines.bytes.error, 0);
    assert_int_equal(tel__outbox_take(outbox, tel__outbox_next(outbox).length), appended + 1);
    assert_true(tel__outbox_has_room(outbox));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_head_goes_first),
        TEST(test_lines_count_whole),
        TEST(test_torn_line_is_completed_first),
        TEST(test_lines_behind_a_torn_one),
        TEST(test_restart),
        TEST(test_drop),
        TEST(test_drop_keeps_a_torn_head),
        TEST(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
