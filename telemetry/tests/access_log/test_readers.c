/*
 * Real readers: lnav and goaccess take every line, whatever the requests held. Skipped, loudly,
 * where they are not installed.
 */
#include "support.h"

/* Options of goaccess for the default fields: every line. Without method and protocol, because it
 * refuses lines of requests that were too broken to have one. */
#define GOACCESS_DEFAULT                                                                           \
    "--log-format='%d\\t%t.%^\\t%T\\t%h\\t%^\\t%^\\t%^\\t%^\\t%U\\t%q\\t%^\\t%v\\t%s\\t%^\\t%b\\t" \
    "%u\\t%R\\t%^\\t%^\\t%^\\t%^\\t%^' --date-format=%Y-%m-%d --time-format=%H:%M:%S "             \
    "--no-strict-status"

/* The same with both, for requests that have them. */
#define GOACCESS_METHODS                                                                           \
    "--log-format='%d\\t%t.%^\\t%T\\t%h\\t%^\\t%^\\t%^\\t%m\\t%U\\t%q\\t%H\\t%v\\t%s\\t%^\\t%b\\t" \
    "%u\\t%R\\t%^\\t%^\\t%^\\t%^\\t%^' --date-format=%Y-%m-%d --time-format=%H:%M:%S "             \
    "--no-strict-status"

/* The preset, for IIS's fields. */
#define GOACCESS_IIS "--log-format=W3C --no-strict-status"

static int set_up(void **state)
{
    static struct folder folder;
    folder_make(&folder);
    *state = &folder;
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

/* What a shell command prints, in static memory. */
static const char *output_of(const char *command)
{
    static char output[64 * 1024];
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof(output) - 1, pipe);
    output[length] = '\0';
    pclose(pipe);
    return output;
}

static void need(const char *program)
{
    char command[64];
    snprintf(command, sizeof(command), "command -v %s", program);
    if (output_of(command)[0] == '\0') {
        print_message("%s is not installed\n", program);
        skip();
    }
}

static const char *const texts[] = {
    NULL,
    "",
    "-",
    "/",
    "/demo/hello",
    "a b",
    "\"",
    "\"\"",
    "a\"b c",
    "\\",
    "\\\"",
    "x\\",
    "#Fields: a",
    "%",
    "%zz",
    "a\tb\nc",
    "\x01",
    "\xff",
    "b\xc3\xbc r",
    "?&=+;,/",
    "'",
    "[::1]:80",
    "k6/2.2.0 (https://k6.io/)",
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS", "_OTHER", NULL, "#"};
static const uint16_t statuses[] = {200, 404, 500, 0, 204, 400, 503};

/* Writes a log of requests that hold everything; of `sane` ones method and version are. Returns how
 * many. */
static unsigned write_log(const struct folder *folder, bool iis, bool sane)
{
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = folder->log,
        .iis = iis,
        .software = "test/1.0",
        .shard_count = 1,
    });
    assert_non_null(log);
    unsigned count = 0;
    for (unsigned i = 0; i < 20 * TEXTS; i++) {
        struct tel_access_record record = example_record();
        record.end_wall_ns += i * 1000000ull;
        record.duration_ns = i * 1234567ull;
        record.method = text(methods[i % (sane ? 4 : 7)]);
        record.version = text(sane || i % 3 == 0 ? "HTTP/1.1" : texts[i % TEXTS]);
        record.status = statuses[i % 7];
        record.uri_stem = text(texts[i * 5 % TEXTS]);
        record.uri_query = text(texts[i * 7 % TEXTS]);
        record.host = text(texts[i * 11 % TEXTS]);
        record.request_headers[0] = text(texts[i * 13 % TEXTS]);
        record.request_headers[1] = text(texts[i * 17 % TEXTS]);
        record.error = text(texts[i * 3 % TEXTS]);
        record.traced = i % 5 != 0;
        tel_access_log_append(log, 0, &record);
        count++;
    }
    finish(log);
    return count;
}

/* lnav knows the format from the directives and reads as many records as there are lines, each with
 * its fields. */
static void test_lnav(void **state)
{
    const struct folder *folder = *state;
    need("lnav");
    for (int iis = 0; iis < 2; iis++) {
        char command[512];
        char expected[128];
        unsigned count = write_log(folder, iis == 1, false);
        snprintf(command, sizeof(command),
                 "HOME=%s TERM=dumb lnav -n %s -c ';SELECT count(*), count(c_ip), "
                 "count(time_taken), count(DISTINCT sc_status) FROM w3c_log' "
                 "-c ':write-csv-to -' 2>/dev/null",
                 folder->path, folder->log);
        snprintf(expected, sizeof(expected), "\n%u,%u,%u,6\n", count, count, count);
        assert_non_null(strstr(output_of(command), expected));
        unlink(folder->log);
    }
}

/* What a line means to lnav: the values, without quotes, missing ones as null. */
static void test_lnav_reads_the_values(void **state)
{
    const struct folder *folder = *state;
    need("lnav");
    struct tel_access_log *log = open_log(folder->log, NULL, NULL);
    struct tel_access_record record = example_record();
    record.request_headers[0] = text("say \"hi\"");
    tel_access_log_append(log, 0, &record);
    finish(log);
    char command[512];
    snprintf(command, sizeof(command),
             "HOME=%s TERM=dumb lnav -n %s -c ';SELECT log_time, cs_method, c_ip, cs_uri_stem, "
             "cs_uri_query, cs_host, sc_status, sc_bytes, time_taken, cs_headers, x_fields "
             "FROM w3c_log' -c ':write-json-to -' 2>/dev/null",
             folder->path, folder->log);
    const char *json = output_of(command);
    const char *const expected[] = {
        "\"log_time\": \"2026-11-21 10:20:30.456\"",
        "\"cs_method\": \"GET\"",
        "\"c_ip\": \"192.0.2.7\"",
        "\"cs_uri_stem\": \"/demo/hello\"",
        "\"cs_uri_query\": \"delay=5\"",
        "\"cs_host\": \"localhost:8080\"",
        "\"sc_status\": 200",
        "\"sc_bytes\": 345",
        "\"time_taken\": 0.001234",
        "\"User-Agent\": \"say \\\"hi\\\"\"",
        "\"x-trace-id\": \"0af7651916cd43dd8448eb211c80319c\"",
        "\"x-span-id\": \"b7ad6b7169203331\"",
        "\"x-error\": null",
        "\"x-fault\": null",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (strstr(json, expected[i]) == NULL) {
            fail_msg("lnav does not say %s but %s", expected[i], json);
        }
    }
}

static void test_goaccess(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        bool iis, sane;
        const char *options;
    } cases[] = {
        {false, false, GOACCESS_DEFAULT},
        {false, true, GOACCESS_METHODS},
        {true, true, GOACCESS_IIS},
    };
    need("goaccess");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char report[128];
        char command[1024];
        char expected[128];
        unsigned count = write_log(folder, cases[i].iis, cases[i].sane);
        snprintf(report, sizeof(report), "%s/report.json", folder->path);
        snprintf(command, sizeof(command), "goaccess %s --no-global-config %s -o %s 2>&1",
                 folder->log, cases[i].options, report);
        output_of(command);
        const char *json = read_file(report);
        snprintf(expected, sizeof(expected), "\"valid_requests\": %u,", count);
        assert_non_null(strstr(json, expected));
        assert_non_null(strstr(json, "\"failed_requests\": 0,"));
        unlink(report);
        unlink(folder->log);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lnav),
        TEST(test_lnav_reads_the_values),
        TEST(test_goaccess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
