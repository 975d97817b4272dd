/*
 * docs/faults.md: its documents are taken, and its tables have every kind with the keys it has.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "documents.h"
#include "faults/incidents.h"

#define PAGE_BYTES_MAX 65536

static char page[PAGE_BYTES_MAX + 1];

static int read_page(void **state)
{
    FILE *file = fopen(FAULTS_PAGE, "re");
    (void)state;
    assert_non_null(file);
    const size_t length = fread(page, 1, PAGE_BYTES_MAX, file);
    fclose(file);
    assert_in_range(length, 1, PAGE_BYTES_MAX - 1);
    return 0;
}

static void its_documents_are_taken(void **state)
{
    size_t count = 0;
    (void)state;
    for (const char *at = page; (at = strstr(at, "```json\n")) != NULL; count++) {
        struct fault_plan plan;
        char reason[FAULT_REASON_BYTES] = "";
        at += strlen("```json\n");
        const char *end = strstr(at, "```");
        assert_non_null(end);
        const int result = fault_plan_parse(at, (size_t)(end - at), false, EIGHT_NS, &plan, reason);
        if (result != 0) {
            fail_msg("document %zu: %s", count, reason);
        }
        assert_true(plan.fault_count > 0);
        at = end;
    }
    assert_int_equal(count, 2);
}

/* The line of a table whose first cell is `name`, up to its end; NULL when there is none. */
static const char *row_of(const char *name, size_t *length)
{
    char cell[100];
    snprintf(cell, sizeof(cell), "\n| `%s` |", name);
    const char *row = strstr(page, cell);
    *length = row == NULL ? 0 : strcspn(row + 1, "\n") + 1;
    return row;
}

/* The keys of a kind are asked of the parser, which lists them when it is given another. */
static void its_tables_have_every_kind_and_its_keys(void **state)
{
    (void)state;
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
        char document[200];
        char reason[FAULT_REASON_BYTES] = "";
        struct fault_plan plan;
        size_t length;
        const char *row = row_of(fault_kind_name(kind), &length);
        assert_non_null(row);
        snprintf(document, sizeof(document), "{'faults':[{%s'duration':'1m','%s':{'?':0}}]}",
                 kind < FAULT_ROUTE_KINDS ? "'route':'/'," : "", fault_kind_name(kind));
        assert_int_equal(documents_parse(document, false, &plan, reason), -EINVAL);
        char *keys = strstr(reason, "; allowed: ");
        if (keys == NULL) {
            assert_non_null(strstr(reason, "is not true, which is all that it can be"));
            continue;
        }
        char *save = NULL;
        for (char *key = strtok_r(keys + strlen("; allowed: "), ", ", &save); key != NULL;
             key = strtok_r(NULL, ", ", &save)) {
            char quoted[100];
            snprintf(quoted, sizeof(quoted), "`%s`", key);
            assert_non_null(memmem(row, length, quoted, strlen(quoted)));
        }
    }
}

static void its_tables_have_every_other_key(void **state)
{
    static const char *const documents[] = {
        "{'?':0}",
        "{'faults':[{'?':0}]}",
        "{'name':'n','timeline':[{'?':0}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        char reason[FAULT_REASON_BYTES] = "";
        struct fault_plan plan;
        assert_int_equal(documents_parse(documents[i], false, &plan, reason), -EINVAL);
        char *keys = strstr(reason, "; allowed: ");
        assert_non_null(keys);
        char *save = NULL;
        for (char *key = strtok_r(keys + strlen("; allowed: "), ", ", &save); key != NULL;
             key = strtok_r(NULL, ", ", &save)) {
            size_t length;
            if (row_of(key, &length) == NULL) {
                fail_msg("no row for the key %s", key);
            }
        }
    }
}

static void its_table_has_every_incident_with_its_minutes(void **state)
{
    (void)state;
    for (size_t i = 0; fault_incident_name(i) != NULL; i++) {
        const char *name = fault_incident_name(i);
        struct fault_plan plan;
        char reason[FAULT_REASON_BYTES];
        char cells[100];
        size_t length;
        const char *document = fault_incident_find(name, strlen(name), &length);
        assert_int_equal(fault_plan_parse(document, length, false, EIGHT_NS, &plan, reason), 0);
        snprintf(cells, sizeof(cells), "\n| `%s` | %zu | ", name,
                 (size_t)((fault_plan_end(&plan) - EIGHT_NS) / MINUTE_NS));
        assert_non_null(strstr(page, cells));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_documents_are_taken),
        cmocka_unit_test(its_tables_have_every_kind_and_its_keys),
        cmocka_unit_test(its_tables_have_every_other_key),
        cmocka_unit_test(its_table_has_every_incident_with_its_minutes),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
