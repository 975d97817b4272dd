/* Hosts and ports of socket addresses, as the C library would write them. */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_ipv4_agrees_with_inet_ntop(void **state)
{
    static const uint8_t octets[] = {0, 1, 9, 10, 42, 99, 100, 127, 200, 255};
    const size_t count = sizeof(octets);
    (void)state;
    for (size_t i = 0; i < count * count; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080)};
        uint8_t *bytes = (uint8_t *)&in.sin_addr;
        bytes[0] = octets[i % count];
        bytes[1] = octets[i / count];
        bytes[2] = octets[(i + 3) % count];
        bytes[3] = octets[(i / count + 7) % count];
        char expected[INET_ADDRSTRLEN];
        char host[PEER_HOST_BYTES];
        inet_ntop(AF_INET, &in.sin_addr, expected, sizeof(expected));
        assert_int_equal(peer_format_host((struct sockaddr *)&in, host), strlen(expected));
        assert_string_equal(host, expected);
        assert_int_equal(peer_port((struct sockaddr *)&in), 8080);
    }
}

static void test_ipv6(void **state)
{
    static const struct {
        const char *address;
        const char *host;
    } cases[] = {
        {"::1", "::1"},
        {"::", "::"},
        {"2001:db8::1:2", "2001:db8::1:2"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:192.0.2.7", "192.0.2.7"}, /* a dual-stack listener's IPv4 client */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(65535)};
        char host[PEER_HOST_BYTES];
        assert_int_equal(inet_pton(AF_INET6, cases[i].address, &in6.sin6_addr), 1);
        assert_int_equal(peer_format_host((struct sockaddr *)&in6, host), strlen(cases[i].host));
        assert_string_equal(host, cases[i].host);
        assert_int_equal(peer_port((struct sockaddr *)&in6), 65535);
    }
}

static void test_unknown_is_empty(void **state)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    char host[PEER_HOST_BYTES] = "left over";
    (void)state;
    assert_int_equal(peer_format_host(NULL, host), 0);
    assert_string_equal(host, "");
    assert_int_equal(peer_format_host(&local, host), 0);
    assert_int_equal(peer_port(NULL), 0);
    assert_int_equal(peer_port(&local), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4_agrees_with_inet_ntop),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_unknown_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
