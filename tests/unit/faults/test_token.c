/* Which files hold a token, and whose token is the one in the file. */
#include "faults/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef"

static char path[] = "/tmp/test_token.XXXXXX";

static void write_bytes(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

#define SIZE  "a token has 16 to 4096 bytes"
#define CHARS "it holds more than one token of letters, digits and -._~+/, with = at its end"

static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason; /* NULL: it is good */
    } cases[] = {
        {TOKEN, NULL},
        {TOKEN "\n", NULL},
        {TOKEN "\r\n", NULL},
        {"ABCxyz019-._~+/AB==", NULL},
        {"", SIZE},
        {"\n", SIZE},
        {"0123456789abcde", SIZE},
        {"0123456789abcde\n", SIZE},
        {TOKEN "\n\n", CHARS},
        {TOKEN "\n" TOKEN "\n", CHARS},
        {TOKEN " " TOKEN, CHARS},
        {" " TOKEN, CHARS},
        {TOKEN "\t", CHARS},
        {TOKEN "=a", CHARS},
        {"================", CHARS},
        {"0123456789abcd\"f", CHARS},
        {"0123456789abcd\xc3\xa9", CHARS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char reason[FAULT_TOKEN_REASON_BYTES] = "";
        write_bytes(cases[i].text, strlen(cases[i].text));
        int error = fault_token_check_file(path, reason);
        if ((error == 0) != (cases[i].reason == NULL) ||
            (error != 0 && strcmp(reason, cases[i].reason) != 0)) {
            fail_msg("case %zu: %d, %s", i, error, reason);
        }
    }
}

static void test_sizes_and_bytes_that_strings_cannot_hold(void **state)
{
    (void)state;
    char bytes[FAULT_TOKEN_BYTES_MAX + 100];
    char reason[FAULT_TOKEN_REASON_BYTES];
    memset(bytes, 'a', sizeof(bytes));
    write_bytes(bytes, FAULT_TOKEN_BYTES_MAX);
    assert_int_equal(fault_token_check_file(path, reason), 0);
    bytes[FAULT_TOKEN_BYTES_MAX] = '\n';
    write_bytes(bytes, FAULT_TOKEN_BYTES_MAX + 1);
    assert_int_equal(fault_token_check_file(path, reason), 0);
    bytes[FAULT_TOKEN_BYTES_MAX] = 'a';
    write_bytes(bytes, FAULT_TOKEN_BYTES_MAX + 1);
    assert_int_not_equal(fault_token_check_file(path, reason), 0);
    assert_string_equal(reason, SIZE);
    write_bytes(bytes, FAULT_TOKEN_BYTES_MAX + 100);
    assert_int_not_equal(fault_token_check_file(path, reason), 0);
    assert_string_equal(reason, SIZE);
    bytes[5] = '\0';
    write_bytes(bytes, 20);
    assert_int_not_equal(fault_token_check_file(path, reason), 0);
    assert_string_equal(reason, CHARS);
    assert_int_not_equal(fault_token_check_file("/nowhere/token", reason), 0);
    assert_string_equal(reason, "it cannot be read: No such file or directory");
    assert_int_not_equal(fault_token_check_file("/tmp", reason), 0);
    assert_string_equal(reason, "it cannot be read: it is not a regular file");
}

static void test_who_is_let_in(void **state)
{
    (void)state;
    static const struct {
        const char *authorization; /* NULL: absent */
        enum fault_token_verdict verdict;
    } cases[] = {
        {"Bearer " TOKEN, FAULT_TOKEN_GOOD},
        {"bearer " TOKEN, FAULT_TOKEN_GOOD},
        {"BEARER   " TOKEN, FAULT_TOKEN_GOOD},
        {NULL, FAULT_TOKEN_MISSING},
        {"", FAULT_TOKEN_MISSING},
        {"Bearer", FAULT_TOKEN_MISSING},
        {"Bearer ", FAULT_TOKEN_MISSING},
        {TOKEN, FAULT_TOKEN_MISSING},
        {"Basic " TOKEN, FAULT_TOKEN_MISSING},
        {"Bearer  ", FAULT_TOKEN_WRONG},
        {"Bearer 0123456789abcdee", FAULT_TOKEN_WRONG},
        {"Bearer 0123456789abcde", FAULT_TOKEN_WRONG},
        {"Bearer " TOKEN "0", FAULT_TOKEN_WRONG},
        {"Bearer " TOKEN " ", FAULT_TOKEN_WRONG},
        {"Bearer 0123456789ABCDEF", FAULT_TOKEN_WRONG},
        {"Bearer " TOKEN "," TOKEN, FAULT_TOKEN_WRONG},
    };
    char reason[FAULT_TOKEN_REASON_BYTES];
    write_bytes(TOKEN "\n", sizeof(TOKEN));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].authorization;
        const struct http_slice value = {text, text != NULL ? strlen(text) : 0};
        if (fault_token_judge(path, value, reason) != cases[i].verdict) {
            fail_msg("%s", text != NULL ? text : "absent");
        }
    }
}

/* A file is read at each request: another token counts at once, a bad one lets nobody in. */
static void test_the_token_is_replaced(void **state)
{
    (void)state;
    static const char before[] = "Bearer " TOKEN;
    static const char after[] = "Bearer fedcba9876543210";
    char reason[FAULT_TOKEN_REASON_BYTES];
    write_bytes(after + 7, sizeof(after) - 8);
    assert_int_equal(
        fault_token_judge(path, (struct http_slice){before, sizeof(before) - 1}, reason),
        FAULT_TOKEN_WRONG);
    assert_int_equal(fault_token_judge(path, (struct http_slice){after, sizeof(after) - 1}, reason),
                     FAULT_TOKEN_GOOD);
    write_bytes("short", 5);
    assert_int_equal(fault_token_judge(path, (struct http_slice){after, sizeof(after) - 1}, reason),
                     FAULT_TOKEN_UNREADABLE);
    assert_string_equal(reason, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_sizes_and_bytes_that_strings_cannot_hold),
        cmocka_unit_test(test_who_is_let_in),
        cmocka_unit_test(test_the_token_is_replaced),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
