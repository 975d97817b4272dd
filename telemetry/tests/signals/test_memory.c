/*
 * Making all parts and starting them, with each thing on the way refused in turn: NULL or a negative
 * errno, a word of which part it was, and nothing left over.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults.h"
#include "telemetry/telemetry.h"

/* All parts, log records too. */
static char *get_variable(const char *name)
{
    static char otlp[] = "otlp";
    return strcmp(name, "OTEL_LOGS_EXPORTER") == 0 ? otlp : NULL;
}

static char said[512]; /* last, in this turn */

static void hear(enum tel_severity severity, const char *component, const char *message,
                 void *argument)
{
    (void)component;
    (void)argument;
    if (severity == TEL_ERROR) {
        snprintf(said, sizeof(said), "%s", message);
    }
}

static int make(const char *path)
{
    struct tel_signals *signals =
        tel_signals_create(&(struct tel_signals_options){.service_name = "shop",
                                                         .access_log = {.path = path},
                                                         .get = get_variable,
                                                         .diagnostic = hear});
    int error = signals == NULL ? -errno : tel_signals_start(signals);
    if (signals == NULL && strncmp(said, "cannot make the ", 16) != 0) {
        fail_msg("%s, for want of what? '%s'", strerror(-error), said);
    }
    tel_signals_destroy(signals);
    return error;
}

static void run(bool lasting)
{
    char path[] = "/tmp/signals-memory-XXXXXX";
    struct faults faults = {.kinds = FAULTS_OURS, .lasting = lasting};
    close(mkstemp(path));
    while (faults_next(&faults)) {
        said[0] = '\0';
        int error = make(path);
        faults_stop();
        bool scarce = error == -ENOMEM || error == -EMFILE || error == -EAGAIN;
        if (faults_struck() ? !scarce : error != 0) {
            fail_msg("call %lu at %p: %s (%s)", faults.turns, faults_where(), strerror(-error),
                     said);
        }
    }
    unlink(path);
    assert_true(faults.turns > 100);
}

static void test_one_refusal(void **state)
{
    (void)state;
    run(false);
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
