/*
 * Proxies in the environment: told by name and once, where something is sent.
 */
#include "environment.h"

static void test_proxies_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *settings[6];
        const char *message; /* NULL: none */
    } cases[] = {
        {{NULL}, NULL},
        {{"HTTPS_PROXY=http://user:secret@proxy:3128", NULL},
         "HTTPS_PROXY: proxies are not supported; telemetry goes to its endpoint directly\n"},
        {{"http_proxy=proxy", "ALL_PROXY=socks5://proxy", "HTTP_PROXY=proxy", NULL},
         "HTTP_PROXY, http_proxy, ALL_PROXY: proxies are not supported; telemetry goes to its "
         "endpoint directly\n"},
        {{"https_proxy=p", "all_proxy=p", NULL},
         "https_proxy, all_proxy: proxies are not supported; telemetry goes to its endpoint "
         "directly\n"},
        {{"HTTPS_PROXY=", "NO_PROXY=*", "no_proxy=.svc", NULL}, NULL},
        {{"HTTPS_PROXY=p", "OTEL_TRACES_EXPORTER=none", NULL}, NULL},
        {{"HTTPS_PROXY=p", "OTEL_TRACES_EXPORTER=console", NULL}, NULL},
        {{"HTTPS_PROXY=p", "OTEL_SDK_DISABLED=true", NULL}, NULL},
        {{"HTTPS_PROXY=p", "OTEL_TRACES_EXPORTER=none", "OTEL_LOGS_EXPORTER=otlp", NULL},
         "HTTPS_PROXY: proxies are not supported; telemetry goes to its endpoint directly\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct warnings warnings;
        tel_config_destroy(load(cases[i].settings, &warnings));
        assert_int_equal(warnings.count, cases[i].message != NULL);
        if (cases[i].message != NULL) {
            assert_string_equal(warnings.text, cases[i].message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxies_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
