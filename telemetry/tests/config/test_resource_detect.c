/*
 * Detection: what a process finds out about itself, here about the test.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/resource.h"
#include "telemetry/telemetry.h"

static const char *const downward_variables[] = {
    "K8S_NAMESPACE_NAME", "POD_NAMESPACE",
    "K8S_POD_NAME",       "POD_NAME",
    "K8S_POD_UID",        "POD_UID",
    "NODE_NAME",          "K8S_NODE_NAME",
    "K8S_CONTAINER_NAME", "K8S_DEPLOYMENT_NAME",
};

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(downward_variables) / sizeof(downward_variables[0]); i++) {
        unsetenv(downward_variables[i]);
    }
    return 0;
}

static void test_the_process(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    char host[256] = "";
    char pid[16];
    char service[300];
    assert_int_equal(tel_resource_detect(resource), 0);
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    const char *executable = tel_resource_get(resource, "process.executable.name");
    assert_non_null(executable);
    assert_null(strchr(executable, '/'));
    snprintf(service, sizeof(service), "unknown_service:%s", executable);
    assert_string_equal(tel_resource_get(resource, "service.name"), service);
    assert_string_equal(tel_resource_get(resource, "host.name"), host);
    assert_string_equal(tel_resource_get(resource, "process.pid"), pid);
    assert_string_equal(tel_resource_get(resource, "telemetry.sdk.language"), "c");
    assert_string_equal(tel_resource_get(resource, "telemetry.sdk.version"), TEL_VERSION);
    assert_string_not_equal(tel_resource_get(resource, "telemetry.sdk.name"), "opentelemetry");
    assert_null(tel_resource_get(resource, "k8s.pod.name")); /* not in a pod */
    tel_resource_destroy(resource);
}

static void test_each_instance_has_a_uuid(void **state)
{
    (void)state;
    char first[64] = "";
    for (int round = 0; round < 2; round++) {
        struct tel_resource *resource = tel_resource_create();
        assert_int_equal(tel_resource_detect(resource), 0);
        const char *id = tel_resource_get(resource, "service.instance.id");
        assert_int_equal(strlen(id), 36);
        for (int i = 0; i < 36; i++) {
            bool dash = i == 8 || i == 13 || i == 18 || i == 23;
            assert_true(dash ? id[i] == '-' : isxdigit((unsigned char)id[i]) != 0);
        }
        assert_int_equal(id[14], '4');           /* version */
        assert_non_null(strchr("89ab", id[19])); /* variant */
        assert_string_not_equal(id, first);
        snprintf(first, sizeof(first), "%s", id);
        tel_resource_destroy(resource);
    }
}

static void test_what_is_known_already_stays(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(tel_resource_add(resource, "service.name", "shop"), 0);
    assert_int_equal(tel_resource_add(resource, "service.instance.id", "i1"), 0);
    assert_int_equal(tel_resource_detect(resource), 0);
    assert_string_equal(tel_resource_get(resource, "service.name"), "shop");
    assert_string_equal(tel_resource_get(resource, "service.instance.id"), "i1");
    tel_resource_destroy(resource);
}

static void test_the_downward_api(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    setenv("POD_NAMESPACE", "shop", 1);
    setenv("K8S_POD_NAME", "cart-1", 1);
    setenv("POD_NAME", "not this", 1); /* the longer name wins */
    setenv("POD_UID", "", 1);          /* empty is unset */
    setenv("NODE_NAME", "\xff", 1);    /* no text: left out, and no error */
    setenv("K8S_CONTAINER_NAME", "main", 1);
    setenv("K8S_DEPLOYMENT_NAME", "cart", 1);
    assert_int_equal(tel_resource_detect(resource), 0);
    assert_string_equal(tel_resource_get(resource, "k8s.namespace.name"), "shop");
    assert_string_equal(tel_resource_get(resource, "k8s.pod.name"), "cart-1");
    assert_null(tel_resource_get(resource, "k8s.pod.uid"));
    assert_null(tel_resource_get(resource, "k8s.node.name"));
    assert_string_equal(tel_resource_get(resource, "k8s.container.name"), "main");
    assert_string_equal(tel_resource_get(resource, "k8s.deployment.name"), "cart");
    tel_resource_destroy(resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_process, clear_environment),
        cmocka_unit_test_setup(test_each_instance_has_a_uuid, clear_environment),
        cmocka_unit_test_setup(test_what_is_known_already_stays, clear_environment),
        cmocka_unit_test_setup_teardown(test_the_downward_api, clear_environment,
                                        clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
