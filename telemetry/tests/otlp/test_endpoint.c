/*
 * URLs: what they are taken apart into, and which are refused.
 */
#include "otlp/endpoint.h"

#include "support.h"

static void test_parts(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool tls;
        const char *host;
        uint16_t port;
        const char *authority;
        const char *target;
        const char *display;
    } cases[] = {
        {"http://localhost:4318/v1/traces", false, "localhost", 4318, "localhost:4318",
         "/v1/traces", "http://localhost:4318/v1/traces"},
        {"http://collector", false, "collector", 80, "collector", "/", "http://collector/"},
        {"https://collector", true, "collector", 443, "collector", "/", "https://collector/"},
        {"HTTPS://collector:443/x", true, "collector", 443, "collector", "/x",
         "https://collector/x"},
        {"http://collector:443", false, "collector", 443, "collector:443", "/",
         "http://collector:443/"},
        {"http://collector:/x", false, "collector", 80, "collector", "/x", "http://collector/x"},
        {"http://127.0.0.1:1", false, "127.0.0.1", 1, "127.0.0.1:1", "/", "http://127.0.0.1:1/"},
        {"http://[::1]:65535/", false, "::1", 65535, "[::1]:65535", "/", "http://[::1]:65535/"},
        {"http://[2001:db8::1]", false, "2001:db8::1", 80, "[2001:db8::1]", "/",
         "http://[2001:db8::1]/"},
        {"http://h/a?b=c#d", false, "h", 80, "h", "/a?b=c", "http://h/a"},
        {"http://h?b=c", false, "h", 80, "h", "/?b=c", "http://h/"},
        {"http://h#frag", false, "h", 80, "h", "/", "http://h/"},
        {"http://a_b.svc.cluster.local:4318/v1/traces", false, "a_b.svc.cluster.local", 4318,
         "a_b.svc.cluster.local:4318", "/v1/traces", "http://a_b.svc.cluster.local:4318/v1/traces"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__endpoint endpoint;
        const char *reason;
        if (tel__endpoint_parse(cases[i].url, &endpoint, &reason) != 0) {
            fail_msg("%s: %s", cases[i].url, reason);
        }
        assert_int_equal(endpoint.tls, cases[i].tls);
        assert_string_equal(endpoint.host, cases[i].host);
        assert_int_equal(endpoint.port, cases[i].port);
        assert_string_equal(endpoint.authority, cases[i].authority);
        assert_string_equal(endpoint.target, cases[i].target);
        assert_string_equal(endpoint.display, cases[i].display);
        assert_string_equal(endpoint.authorization, "");
    }
}

/* A password goes into a header, and nowhere else. */
static void test_user(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *authorization;
    } cases[] = {
        {"http://Aladdin:open%20sesame@h:1/x?key=secret",
         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 2 */
        {"http://u:p%40ss@h:1/x", "Basic dTpwQHNz"},
        {"http://u:p@ss@h:1/x", "Basic dTpwQHNz"}, /* the last @ ends it */
        {"http://u@h:1/x", "Basic dQ=="},
        {"http://@h:1/x", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__endpoint endpoint;
        const char *reason;
        assert_int_equal(tel__endpoint_parse(cases[i].url, &endpoint, &reason), 0);
        assert_string_equal(endpoint.authorization, cases[i].authorization);
        assert_string_equal(endpoint.host, "h");
        assert_string_equal(endpoint.display, "http://h:1/x");
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *reason; /* a part of it */
    } cases[] = {
        {"", "does not start with"},
        {"localhost:4318", "does not start with"},
        {"grpc://localhost:4317", "does not start with"},
        {"http:/localhost", "does not start with"},
        {"http://", "host is missing"},
        {"http:///v1/traces", "host is missing"},
        {"http://:4318", "host is missing"},
        {"http://user@", "host is missing"},
        {"http://a b/", "blank"},
        {"http://h/\x7f", "control"},
        {"http://h/\r\nX-Evil: 1", "control"},
        {"http://h/caf\xc3\xa9", "ASCII"},
        {"http://h:0", "port"},
        {"http://h:65536", "port"},
        {"http://h:99999999999999999999", "port"},
        {"http://h:80x", "port"},
        {"http://h:-1", "port"},
        {"http://[::1", "not closed"},
        {"http://[::1]x:1", "only a port"},
        {"http://[]:1", "host is missing"},
        {"http://[fe80::1%eth0]:1", "no host has"},
        {"http://::1:4318", "host is missing"},
        {"http://h\\x", "no host has"},
        {"http://u%zz@h", "cannot be decoded"},
        {"http://u%00@h", "cannot be decoded"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__endpoint endpoint;
        const char *reason = "";
        int result = tel__endpoint_parse(cases[i].url, &endpoint, &reason);
        if (result != -EINVAL || strstr(reason, cases[i].reason) == NULL) {
            fail_msg("%s: %d, %s", cases[i].url, result, reason);
        }
    }
}

/* Every part has room for what it may be, and is refused beyond. */
static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t repeated;
        const char *after;
        int result;
    } cases[] = {
        {"http://", TEL__ENDPOINT_HOST_MAX, "", 0},
        {"http://", TEL__ENDPOINT_HOST_MAX + 1, "", -EINVAL},
        {"http://h/", TEL__ENDPOINT_TARGET_MAX - 1, "", 0},
        {"http://h/", TEL__ENDPOINT_TARGET_MAX, "", -EINVAL},
        {"http://h?", TEL__ENDPOINT_TARGET_MAX - 2, "", 0},
        {"http://h?", TEL__ENDPOINT_TARGET_MAX - 1, "", -EINVAL},
        {"http://", TEL__ENDPOINT_USER_MAX, "@h", 0},
        {"http://", TEL__ENDPOINT_USER_MAX + 1, "@h", -EINVAL},
        {"http://", 100000, "@h", -EINVAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t before = strlen(cases[i].before);
        char *url = malloc(before + cases[i].repeated + strlen(cases[i].after) + 1);
        assert_non_null(url);
        memcpy(url, cases[i].before, before);
        memset(url + before, 'a', cases[i].repeated);
        strcpy(url + before + cases[i].repeated, cases[i].after);
        struct tel__endpoint endpoint;
        const char *reason;
        if (tel__endpoint_parse(url, &endpoint, &reason) != cases[i].result) {
            fail_msg("case %zu", i);
        }
        free(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
