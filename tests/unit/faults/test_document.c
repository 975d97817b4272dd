/*
 * Documents in bounded memory: what does not fit is refused, what jansson would let through as well,
 * and the rest of the program's JSON takes its memory where it always did.
 */
#include "faults/document.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES_MAX 65536

/* Opens a document of these bytes, in memory of their own. */
static int open_bytes(struct document *document, const char *bytes, size_t length,
                      struct tel_buffer *problem)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    const int result = document_open(document, copy, length, BYTES_MAX, problem);
    free(copy);
    return result;
}

/* Expects a refusal in these words. */
static void refuse(const char *bytes, size_t length, int result, const char *words)
{
    struct document document;
    struct tel_buffer problem;
    tel_buffer_init(&problem, 1024);
    assert_int_equal(open_bytes(&document, bytes, length, &problem), result);
    tel_buffer_append_char(&problem, '\0');
    assert_string_equal(problem.data, words);
    tel_buffer_fini(&problem);
}

/* `head`, so many times `piece`, `tail`. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
    struct tel_buffer text;
    tel_buffer_init(&text, 1 << 20);
    tel_buffer_append_string(&text, head);
    for (size_t i = 0; i < count; i++) {
        tel_buffer_append_string(&text, piece);
    }
    tel_buffer_append(&text, tail, strlen(tail) + 1);
    assert_int_equal(text.error, 0);
    return tel_buffer_take(&text, NULL);
}

static void a_document_is_read_in_its_order(void **state)
{
    static const char text[] = "{\"z\": 1, \"a\": [true, null, 2.5], \"m\": \"\u20ac\"}";
    const char *const names[] = {"z", "a", "m"};
    struct document document;
    struct tel_buffer problem;
    size_t count = 0;
    (void)state;
    tel_buffer_init(&problem, 1024);
    assert_int_equal(open_bytes(&document, text, sizeof(text) - 1, &problem), 0);
    json_t *root = (json_t *)document.root;
    for (void *at = json_object_iter(root); at != NULL; at = json_object_iter_next(root, at)) {
        assert_string_equal(json_object_iter_key(at), names[count++]);
    }
    assert_int_equal(count, 3);
    assert_string_equal(json_string_value(json_object_get(root, "m")), "\u20ac");
    document_close(&document);
    assert_null(document.memory);
    assert_int_equal(problem.length, 0);
    tel_buffer_fini(&problem);
}

/* jansson alone takes it as if it were not there. */
static void a_nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    refuse("[1\0]", 4, -EBADMSG, "not JSON: byte 3 is a NUL");
    refuse("[true\0]", 7, -EBADMSG, "not JSON: byte 6 is a NUL");
    refuse("[]\0", 3, -EBADMSG, "not JSON: byte 3 is a NUL");
    refuse("\0[]", 3, -EBADMSG, "not JSON: byte 1 is a NUL");
    refuse("[\"a\0b\"]", 7, -EBADMSG, "not JSON: byte 4 is a NUL");
    refuse("", 0, -EBADMSG, "not JSON: the document is empty");
}

static void length_is_bounded(void **state)
{
    struct document document;
    struct tel_buffer problem;
    char *fits = repeated("[\"", "x", BYTES_MAX - 4, "\"]");
    char *exceeds = repeated("[\"", "x", BYTES_MAX - 3, "\"]");
    (void)state;
    tel_buffer_init(&problem, 1024);
    assert_int_equal(open_bytes(&document, fits, BYTES_MAX, &problem), 0);
    assert_int_equal(json_string_length(json_array_get(document.root, 0)), BYTES_MAX - 4);
    document_close(&document);
    refuse(exceeds, BYTES_MAX + 1, -EINVAL, "the document has 65537 bytes: 65536 are allowed");
    tel_buffer_fini(&problem);
    free(fits);
    free(exceeds);
}

static void depth_is_bounded(void **state)
{
    char *lists = repeated("", "[", 60000, "");
    char *objects = repeated("", "{\"a\":", 12000, "");
    (void)state;
    refuse(lists, strlen(lists), -EINVAL, "line 1, column 2049: nested too deeply");
    refuse(objects, strlen(objects), -EINVAL, "line 1, column 10241: nested too deeply");
    free(lists);
    free(objects);
}

/* Small objects cost the most memory a byte. */
static void memory_is_bounded(void **state)
{
    char *many = repeated("[", "{},", 21000, "{}]");
    char *fewer = repeated("[", "{},", 2000, "{}]");
    struct document document;
    struct tel_buffer problem;
    (void)state;
    refuse(many, strlen(many), -EINVAL, "the document has more parts than there is room for");
    tel_buffer_init(&problem, 1024);
    assert_int_equal(open_bytes(&document, fewer, strlen(fewer), &problem), 0);
    assert_int_equal(json_array_size(document.root), 2001);
    document_close(&document);
    tel_buffer_fini(&problem);
    free(many);
    free(fewer);
}

/* Whatever a short document is made of, it finds room. */
static void short_documents_find_room(void **state)
{
    static const char *const pieces[] = {"{},",  "[],",   "0,",        "\"\",",
                                         "1.5,", "[[]],", "{\"\":0},", "[{\"a\":{\"a\":{}}}],"};
    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (size_t count = 0; count * strlen(pieces[i]) < 12000; count = count * 3 / 2 + 1) {
            char *text = repeated("[", pieces[i], count, "0]");
            struct document document;
            struct tel_buffer problem;
            tel_buffer_init(&problem, 1024);
            assert_int_equal(open_bytes(&document, text, strlen(text), &problem), 0);
            assert_int_equal(json_array_size(document.root), count + 1);
            document_close(&document);
            tel_buffer_fini(&problem);
            free(text);
        }
    }
}

/* What others take from jansson before, while and after is theirs: LeakSanitizer and valgrind see it
 * given back, and nothing of it lies in a block that is gone. */
static void json_elsewhere_is_left_alone(void **state)
{
    struct document document;
    struct tel_buffer problem;
    json_t *before = json_pack("{s:s}", "when", "before");
    (void)state;
    tel_buffer_init(&problem, 1024);
    assert_int_equal(open_bytes(&document, "[0, [1, 2]]", 11, &problem), 0);
    json_t *during = json_pack("{s:O}", "held", before);
    json_decref(before);
    document_close(&document);
    char *text = json_dumps(during, JSON_COMPACT);
    assert_string_equal(text, "{\"held\":{\"when\":\"before\"}}");
    free(text);
    json_decref(during);
    tel_buffer_fini(&problem);
}

/* ---- threads ------------------------------------------------------------------------------- */

struct opening {
    const char *piece;
    size_t too_many; /* of them: more than there is room for */
    size_t wrong;    /* answers; an assertion may fail in the main thread only */
};

static void *open_many(void *argument)
{
    struct opening *opening = argument;
    for (size_t i = 0; i < 200; i++) {
        struct document document;
        struct tel_buffer problem;
        const bool fits = i % 3 != 0;
        const size_t count = fits ? 100 + i : opening->too_many;
        char *text = repeated("[", opening->piece, count, "0]");
        tel_buffer_init(&problem, 1024);
        const int result = document_open(&document, text, strlen(text), BYTES_MAX, &problem);
        opening->wrong += result == (fits ? 0 : -EINVAL) ? 0 : 1;
        if (result == 0) {
            opening->wrong += json_array_size(document.root) == count + 1 ? 0 : 1;
            document_close(&document);
        }
        tel_buffer_fini(&problem);
        free(text);
    }
    return NULL;
}

static void threads_have_each_their_own(void **state)
{
    struct opening openings[] = {{"{},", 20000, 0}, {"[[]],", 13000, 0}, {"[],", 21000, 0}};
    pthread_t threads[3];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, open_many, &openings[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(openings[i].wrong, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_read_in_its_order),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(short_documents_find_room),
        cmocka_unit_test(json_elsewhere_is_left_alone),
        cmocka_unit_test(threads_have_each_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
