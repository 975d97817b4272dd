/*
 * A plan: the calls that the body of `POST /trace` asks for.
 *
 *     [{"url": "http://127.0.0.1:7777/a", "arguments": [ … any JSON … ]}, …]
 *
 * It is read whole before anything is called, so a mistake in the last entry costs no call of the
 * first. Names other than `url` and `arguments` are ignored.
 *
 * Threads: none shared. Memory: one block a plan, and jansson's own.
 * Failure: NULL with a reason that says which entry is wrong and how.
 */
#ifndef TESTSERVER_PLAN_H
#define TESTSERVER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_CALLS_MAX    64
#define PLAN_URL_MAX      2048
#define PLAN_HOST_MAX     255
#define PLAN_PROBLEM_MAX  512
#define PLAN_DEFAULT_PORT 80

struct plan_call {
    const char *url;                    /* as it came, for messages */
    char host[PLAN_HOST_MAX + 1];       /* without the brackets of an IPv6 address */
    char authority[PLAN_HOST_MAX + 10]; /* of the Host header */
    char target[PLAN_URL_MAX + 2];      /* path and query */
    uint16_t port;
};

struct plan;

/* Reads `length` bytes of JSON. NULL, and the reason in `problem`, when they are no plan. */
struct plan *plan_parse(const char *text, size_t length, char problem[PLAN_PROBLEM_MAX]);
/* Frees it. NULL is fine. */
void plan_destroy(struct plan *plan);

size_t plan_count(const struct plan *plan);
const struct plan_call *plan_at(const struct plan *plan, size_t index);

/* The arguments of a call as JSON, their names in the order they came in. Freed with free(3); NULL
 * without memory. */
char *plan_arguments(const struct plan *plan, size_t index);

#endif
