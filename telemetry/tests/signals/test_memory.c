/*
 * Each allocation of making all parts fails once, from the first to the last: NULL, ENOMEM, and
 * nothing left over. The calls of other threads are not counted: the log has one before create returns.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/telemetry.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t length);

static _Thread_local long allocations_left = -1; /* before one fails; -1: none does */
static _Thread_local bool failed;

static bool fails_now(void)
{
    if (allocations_left < 0 || allocations_left-- > 0) {
        return false;
    }
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *string)
{
    return fails_now() ? NULL : __real_strdup(string);
}

char *__wrap_strndup(const char *string, size_t length)
{
    return fails_now() ? NULL : __real_strndup(string, length);
}

/* All parts, log records too. */
static char *get_variable(const char *name)
{
    static char otlp[] = "otlp";
    return strcmp(name, "OTEL_LOGS_EXPORTER") == 0 ? otlp : NULL;
}

static void ignore(enum tel_severity severity, const char *component, const char *message,
                   void *argument)
{
    (void)severity;
    (void)component;
    (void)message;
    (void)argument;
}

static void test_every_allocation(void **state)
{
    (void)state;
    char path[] = "/tmp/signals-memory-XXXXXX";
    long n = 0;
    close(mkstemp(path));
    failed = true;
    for (; failed; n++) {
        failed = false;
        allocations_left = n;
        errno = 0;
        struct tel_signals *signals =
            tel_signals_create(&(struct tel_signals_options){.service_name = "shop",
                                                             .access_log = {.path = path},
                                                             .get = get_variable,
                                                             .diagnostic = ignore});
        allocations_left = -1;
        if (failed && signals == NULL) {
            assert_int_equal(errno, ENOMEM);
        } else if (signals == NULL) {
            fail_msg("allocation %ld was there, and yet: %s", n, strerror(errno));
        }
        tel_signals_destroy(signals);
    }
    unlink(path);
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
