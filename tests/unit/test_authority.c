/* A host and a port, as the client wrote them in one. */
#include "authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_hosts_and_ports(void **state)
{
    static const struct {
        const char *authority;
        const char *host;
        uint16_t port;
    } cases[] = {
        {"", "", 0},
        {"example.com", "example.com", 0},
        {"example.com:8080", "example.com", 8080},
        {"example.com:", "example.com", 0},
        {"example.com:0", "example.com", 0},
        {"example.com:65535", "example.com", 65535},
        {"example.com:65536", "example.com", 0},
        {"example.com:4294967376", "example.com", 0}, /* 2^32 + 80 */
        {"example.com:99999999999999999999", "example.com", 0},
        {"192.0.2.1:80", "192.0.2.1", 80},
        {"[::1]", "::1", 0},
        {"[::1]:8080", "::1", 8080},
        {"[2001:db8::7]:", "2001:db8::7", 0},
        {"[v1.x:y]", "v1.x:y", 0},
        {":80", "", 80},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t port = 4711;
        struct http_slice host = authority_split(
            (struct http_slice){cases[i].authority, strlen(cases[i].authority)}, &port);
        assert_int_equal(port, cases[i].port);
        assert_int_equal(host.length, strlen(cases[i].host));
        assert_memory_equal(host.data, cases[i].host, host.length);
    }
}

static void test_absent(void **state)
{
    uint16_t port = 4711;
    (void)state;
    assert_int_equal(authority_split((struct http_slice){NULL, 0}, &port).length, 0);
    assert_int_equal(port, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_and_ports),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
