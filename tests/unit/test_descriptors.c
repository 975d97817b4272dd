/* Who may have how many descriptors: shared out of what is really left, also where others have taken
 * most of them, and none at all. */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "diagnostics.h"
#include "options.h"
#include "refuser.h"
#include "service.h"

#define LIMIT  400
#define WANTED 1000

static struct options options;
static const struct service service = {.options = &options};

/* The hard limit too, so that nothing can be raised. */
static int lower_limit(void **state)
{
    const struct rlimit low = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    (void)state;
    options.max_connections = WANTED;
    diagnostics_configure(&(struct diagnostics_options){.level = TEL_ERROR, .fd = -1});
    return setrlimit(RLIMIT_NOFILE, &low);
}

static size_t take(int *fds, size_t most)
{
    size_t count = 0;
    while (count < most && (fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        count++;
    }
    return count;
}

static void give_back(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close(fds[i]);
    }
}

static void test_what_is_open_is_not_shared_out(void **state)
{
    struct descriptors all, fewer;
    int fds[100];
    (void)state;
    assert_int_equal(descriptors_share(&service, &all), 0);
    assert_int_equal(all.operators, OPERATOR_CONNECTIONS_MAX);
    assert_int_equal(all.refused, REFUSER_SLOTS);
    assert_true(all.connections + all.operators + all.refused < LIMIT);
    assert_int_equal(take(fds, 100), 100);
    assert_int_equal(descriptors_share(&service, &fewer), 0);
    give_back(fds, 100);
    assert_int_equal(fewer.connections, all.connections - 100);
    assert_int_equal(fewer.operators, all.operators);
}

static void test_of_few_everybody_gets_some(void **state)
{
    struct descriptors shares;
    int fds[LIMIT];
    (void)state;
    size_t count = take(fds, LIMIT);
    give_back(fds + count - 20, 20);
    assert_int_equal(descriptors_share(&service, &shares), 0);
    give_back(fds, count - 20);
    assert_true(shares.connections > 0 && shares.operators > 0 && shares.refused > 0);
    assert_true(shares.connections + shares.operators + shares.refused < 20);
}

/* Not even one to look at /proc with. */
static void test_none_left_is_an_error(void **state)
{
    struct descriptors shares;
    int fds[LIMIT];
    (void)state;
    size_t count = take(fds, LIMIT);
    assert_int_equal(descriptors_share(&service, &shares), -EMFILE);
    give_back(fds, count);
}

static void test_what_is_wanted_is_enough(void **state)
{
    struct descriptors shares;
    (void)state;
    options.max_connections = 10;
    assert_int_equal(descriptors_share(&service, &shares), 0);
    options.max_connections = WANTED;
    assert_int_equal(shares.connections, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_open_is_not_shared_out),
        cmocka_unit_test(test_of_few_everybody_gets_some),
        cmocka_unit_test(test_none_left_is_an_error),
        cmocka_unit_test(test_what_is_wanted_is_enough),
    };
    return cmocka_run_group_tests(tests, lower_limit, NULL);
}
