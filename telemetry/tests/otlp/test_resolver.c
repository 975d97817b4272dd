/*
 * Names to addresses: those that need no nameserver, and the others, with a nameserver on loopback
 * that answers as the name asks it to.
 */
#include "otlp/resolver.h"

#include <event2/util.h>

#include "nameserver.h"

#include "../files.h"

static const struct record records[] = {
    {"both.test", "2001:db8::1 2001:db8::2", "192.0.2.1 192.0.2.2", WELL},
    {"four.test", NULL, "192.0.2.1 192.0.2.2", WELL},
    {"six.test", "2001:db8::1", NULL, WELL},
    {"none.test", NULL, NULL, WELL},
    {"failing.test", NULL, NULL, SERVFAIL},
    {"refused.test", NULL, NULL, REFUSED},
    {"silent.test", NULL, NULL, SILENT},
    {"large.test", "2001:db8::1", "192.0.2.1", TRUNCATED},
    {"garbage.test", NULL, NULL, GARBAGE},
    {"alias.test", NULL, "192.0.2.9", ALIAS},
    {"lame.test", "2001:db8::1", "192.0.2.1", SILENT_IPV6},
    {"many.test",
     "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7 "
     "2001:db8::8 2001:db8::9 2001:db8::a",
     "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6", WELL},
    /* a cluster's, searched for with few dots */
    {"otel.shop.svc.cluster.local", NULL, "10.96.0.7", WELL},
    {"otel.mesh.svc.cluster.local", NULL, "10.96.0.8", WELL},
    {"otel.corp.example", "2001:db8::bad", "192.0.2.66", WELL},
    {"collector.example.com", NULL, "192.0.2.10", WELL},
    {"collector.example.com.broken.example", NULL, NULL, SERVFAIL},
    {"mute.silent.example", NULL, NULL, SILENT},
    {"mute", NULL, "192.0.2.66", WELL},
};

struct bench {
    struct event_base *base;
    struct tel__resolver *resolver;
    struct nameserver server;
    char conf[64];
    char hosts[64];
    size_t calls;
    struct tel__addresses addresses;
    char reason[128];
};

static void found(const struct tel__addresses *addresses, const char *reason, void *argument)
{
    struct bench *bench = argument;
    bench->calls++;
    bench->addresses = *addresses;
    snprintf(bench->reason, sizeof(bench->reason), "%s", reason != NULL ? reason : "");
}

/* A resolv.conf with our nameserver, and `more`. */
static void configure(struct bench *bench, const char *more)
{
    char text[512];
    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n%s", bench->server.port, more);
    write_file(bench->conf, text);
}

static void make_file(char path[64])
{
    strcpy(path, "/tmp/test_resolver.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->base = event_base_new();
    nameserver_start(&bench->server, bench->base, records, COUNT(records));
    make_file(bench->conf);
    make_file(bench->hosts);
    configure(bench, "search .\n");
    const struct tel__resolver_files files = {bench->conf, bench->hosts};
    bench->resolver = tel__resolver_create(bench->base, &files, found, bench);
    assert_non_null(bench->resolver);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    tel__resolver_destroy(bench->resolver);
    assert_false(nameserver_was_asked(&bench->server, "A google.com")); /* evdns' own idea */
    nameserver_stop(&bench->server);
    event_base_free(bench->base);
    unlink(bench->conf);
    unlink(bench->hosts);
    free(bench);
    return 0;
}

/* Turns the loop until the lookup is answered. */
static void wait_for_answer(struct bench *bench)
{
    for (int i = 0; i < 20000 && bench->calls == 0; i++) {
        event_base_loop(bench->base, EVLOOP_NONBLOCK);
        pause_ms(1);
    }
    assert_int_equal(bench->calls, 1);
}

/* Looks up and compares with the blank-separated addresses; with none, with a part of the reason. */
static void expect(struct bench *bench, const char *host, const char *addresses, const char *reason)
{
    char text[TEL__ADDRESSES_MAX * INET6_ADDRSTRLEN + 1] = "";
    bench->calls = 0;
    tel__resolver_start(bench->resolver, host);
    wait_for_answer(bench);
    for (size_t i = 0; i < bench->addresses.count; i++) {
        strcat(strcat(text, i > 0 ? " " : ""), bench->addresses.text[i]);
    }
    if (strcmp(text, addresses) != 0 || strstr(bench->reason, reason) == NULL ||
        (reason[0] == '\0') != (bench->reason[0] == '\0')) {
        fail_msg("%s: %s, %s", host, text, bench->reason);
    }
}

/* ---- without a nameserver ------------------------------------------------------------------ */

static void test_no_nameserver_needed(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        const char *addresses;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"192.0.2.7", "192.0.2.7"},
        {"::1", "::1"},
        {"2001:db8::1", "2001:db8::1"},
        {"localhost", "::1 127.0.0.1"},
        {"LOCALHOST", "::1 127.0.0.1"},
        {"localhost.", "::1 127.0.0.1"},
        {"collector.localhost", "::1 127.0.0.1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench->calls = 0;
        tel__resolver_start(bench->resolver, cases[i].host);
        assert_int_equal(bench->calls, 1); /* at once */
        expect(bench, cases[i].host, cases[i].addresses, "");
        tel__resolver_cancel(bench->resolver); /* nothing is under way: nothing happens */
    }
    assert_int_equal(bench->server.questions, 0);
    assert_non_null(tel__resolver_evdns(bench->resolver));
}

/* What the hosts file says now counts, and nobody else is asked. */
static void test_hosts(void **state)
{
    struct bench *bench = *state;
    write_file(bench->hosts, "192.0.2.50 both.test\n2001:db8::50 other both.test # also\n");
    expect(bench, "both.test", "2001:db8::50 192.0.2.50", "");
    expect(bench, "BOTH.test.", "2001:db8::50 192.0.2.50", "");
    assert_int_equal(bench->server.questions, 0);
    write_file(bench->hosts, "192.0.2.51 both.test\n");
    expect(bench, "both.test", "192.0.2.51", "");
    write_file(bench->hosts, "#192.0.2.51 both.test\n");
    expect(bench, "both.test", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "");
    unlink(bench->hosts);
    expect(bench, "six.test", "2001:db8::1", "");
}

/* ---- with one ------------------------------------------------------------------------------ */

static void test_names(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        const char *addresses;
        const char *reason;
    } cases[] = {
        {"both.test", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", ""},
        {"Both.TEST.", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", ""},
        {"four.test", "192.0.2.1 192.0.2.2", ""},
        {"six.test", "2001:db8::1", ""},
        {"alias.test", "192.0.2.9", ""},
        {"many.test",
         "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 192.0.2.1 192.0.2.2 192.0.2.3 "
         "192.0.2.4",
         ""},
        {"unknown.test", "", "does not exist"},
        {"notlocalhost", "", "does not exist"}, /* it only ends alike */
        {"none.test", "", "has no address"},
        {"failing.test", "", "SERVFAIL"},
        {"refused.test", "", "refuses"},
        {"large.test", "", "512 bytes"},
        {"garbage.test", "", "malformed"},
        {"lame.test", "192.0.2.1", ""}, /* as soon as the other has had its chance */
        {"a-label-of-more-than-sixty-three-bytes-which-is-more-than-dns-can-carry.test", "",
         "cannot be asked for"},
        {"four.test", "192.0.2.1 192.0.2.2", ""}, /* after failures too */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect(bench, cases[i].host, cases[i].addresses, cases[i].reason);
    }
}

/* Resolvers that nobody listens on or that are mute cost their time, not the lookup. */
static void test_nameservers(void **state)
{
    struct bench *bench = *state;
    char text[256];
    struct nameserver mute;
    nameserver_start(&mute, bench->base, NULL, 0);
    event_del(mute.asked);
    snprintf(text, sizeof(text),
             "nameserver 127.0.0.1:%u\nnameserver 127.0.0.1:%u\noptions timeout:0.02 attempts:6 "
             "initial-probe-timeout:0.01\n",
             mute.port, bench->server.port);
    write_file(bench->conf, text);
    expect(bench, "four.test", "192.0.2.1 192.0.2.2", "");
    configure(bench, "options timeout:0.95 attempts:1\n");
    expect(bench, "silent.test", "", "no nameserver answers");
    configure(bench, "options initial-probe-timeout:0.01\n");
    for (int i = 0; i < 3; i++) {
        expect(bench, "refused.test", "", "refuses");
    }
    nameserver_stop(&mute);
}

/* The file is read for each lookup: a machine moves, a cluster rewrites it. */
static void test_changed_conf(void **state)
{
    struct bench *bench = *state;
    static const struct record elsewhere[] = {{"both.test", NULL, "192.0.2.200", WELL}};
    struct nameserver other;
    char text[64];
    expect(bench, "both.test", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "");
    nameserver_start(&other, bench->base, elsewhere, COUNT(elsewhere));
    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n", other.port);
    write_file(bench->conf, text);
    expect(bench, "both.test", "192.0.2.200", "");
    expect(bench, "four.test", "", "does not exist");
    configure(bench, "");
    expect(bench, "both.test", "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "");
    nameserver_stop(&other);
}

/* ---- the search list ----------------------------------------------------------------------- */

#define CLUSTER                                                                    \
    "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n" \
    "options ndots:5\n"

static const struct {
    const char *conf;
    const char *host;
    const char *addresses;
    const char *reason;
    const char *asked[3]; /* among others */
    const char *not_asked;
} searches[] = {
    /* no IPv6 here is no reason to look for it at another host of that name */
    {CLUSTER,
     "otel",
     "10.96.0.7",
     "",
     {"AAAA otel.shop.svc.cluster.local"},
     "AAAA otel.corp.example"},
    {CLUSTER,
     "otel.mesh",
     "10.96.0.8",
     "",
     {"A otel.mesh.shop.svc.cluster.local", "A otel.mesh.svc.cluster.local"},
     "A otel.mesh"},
    {CLUSTER,
     "collector.example.com",
     "192.0.2.10",
     "",
     {"A collector.example.com.cluster.local", "A collector.example.com"},
     NULL},
    {CLUSTER,
     "collector.example.com.",
     "192.0.2.10",
     "",
     {"A collector.example.com"},
     "A collector.example.com.shop.svc.cluster.local"},
    {"search shop.svc.cluster.local\n",
     "collector.example.com",
     "192.0.2.10",
     "",
     {"A collector.example.com"},
     "A collector.example.com.shop.svc.cluster.local"},
    {CLUSTER,
     "unknown",
     "",
     "does not exist",
     {"A unknown.shop.svc.cluster.local", "A unknown.corp.example", "A unknown"},
     NULL},
    /* one domain's SERVFAIL is passed over, but told if nothing comes of the others */
    {"search broken.example\noptions ndots:5\n",
     "collector.example.com",
     "192.0.2.10",
     "",
     {"A collector.example.com.broken.example"},
     NULL},
    {"search broken.example test\noptions ndots:0\n",
     "collector.example.com",
     "192.0.2.10",
     "",
     {NULL},
     "A collector.example.com.broken.example"},
    /* silence is not: the name may be there, and another host's must not be taken for it */
    {"search silent.example\noptions ndots:5 timeout:0.95 attempts:1\n",
     "mute",
     "",
     "no nameserver answers",
     {"A mute.silent.example"},
     "A mute"},
};

static void test_search(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < COUNT(searches); i++) {
        bench->server.questions = 0;
        configure(bench, searches[i].conf);
        expect(bench, searches[i].host, searches[i].addresses, searches[i].reason);
        for (size_t k = 0; k < COUNT(searches[i].asked) && searches[i].asked[k] != NULL; k++) {
            if (!nameserver_was_asked(&bench->server, searches[i].asked[k])) {
                fail_msg("%s: %s was not asked", searches[i].host, searches[i].asked[k]);
            }
        }
        if (searches[i].not_asked != NULL &&
            nameserver_was_asked(&bench->server, searches[i].not_asked)) {
            fail_msg("%s: %s was asked", searches[i].host, searches[i].not_asked);
        }
    }
}

/* ---- giving up ----------------------------------------------------------------------------- */

/* Who gives up is not called any more, neither from the loop nor at the end. */
static void test_cancel(void **state)
{
    struct bench *bench = *state;
    static const char *const hosts[] = {"silent.test", "four.test", "silent.test", "lame.test"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        for (int turns = 0; turns < 6; turns++) {
            bench->calls = 0;
            tel__resolver_start(bench->resolver, hosts[i]);
            for (int turn = 0; turn < turns && bench->calls == 0; turn++) {
                event_base_loop(bench->base, EVLOOP_NONBLOCK);
            }
            size_t calls = bench->calls; /* it may have been quicker than we */
            tel__resolver_cancel(bench->resolver);
            for (int turn = 0; turn < 5; turn++) {
                event_base_loop(bench->base, EVLOOP_NONBLOCK);
            }
            assert_int_equal(bench->calls, calls);
        }
    }
    expect(bench, "four.test", "192.0.2.1 192.0.2.2", ""); /* and it still works */
    tel__resolver_start(bench->resolver, "silent.test");
    /* the teardown destroys it with that lookup under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_nameserver_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nameservers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_conf, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
