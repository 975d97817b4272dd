/*
 * jansson reads the JSON, libevent the URLs; here is what they must say. `problem` names an entry by
 * its place: `[1].url …`.
 */
#include "plan.h"

#include <event2/http.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct plan {
    json_t *json;
    size_t count;
    struct plan_call calls[];
};

/* ---- a URL ------------------------------------------------------------------------------------- */

/* Copies the host, without brackets. False when it does not fit. */
static bool copy_host(struct plan_call *call, const char *host)
{
    size_t length = strlen(host);
    if (host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length == 0 || length > PLAN_HOST_MAX) {
        return false;
    }
    memcpy(call->host, host, length);
    return true;
}

/* Takes a parsed URL apart. NULL, or what is wrong with it. */
static const char *take_url(struct plan_call *call, const struct evhttp_uri *uri)
{
    const char *scheme = evhttp_uri_get_scheme(uri);
    const char *host = evhttp_uri_get_host(uri);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    int port = evhttp_uri_get_port(uri);
    if (scheme == NULL || strcasecmp(scheme, "http") != 0) {
        return "is no http:// URL";
    }
    if (evhttp_uri_get_userinfo(uri) != NULL) {
        return "has a user, which is not supported";
    }
    if (host == NULL || host[0] == '\0' || !copy_host(call, host)) {
        return "has no host, or one that is too long";
    }
    if (port == 0 || port > UINT16_MAX) {
        return "has a port that is none";
    }
    call->port = port > 0 ? (uint16_t)port : PLAN_DEFAULT_PORT;
    snprintf(call->authority, sizeof(call->authority), port > 0 ? "%s:%d" : "%s", host, port);
    snprintf(call->target, sizeof(call->target), "%s%s%s%s",
             path == NULL || path[0] == '\0' ? "/" : "", path != NULL ? path : "",
             query != NULL ? "?" : "", query != NULL ? query : "");
    return NULL;
}

static const char *parse_url(struct plan_call *call, const char *url)
{
    if (strlen(url) > PLAN_URL_MAX) {
        return "is too long";
    }
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    if (uri == NULL) {
        return "is no URL";
    }
    const char *wrong = take_url(call, uri);
    evhttp_uri_free(uri);
    call->url = url;
    return wrong;
}

/* ---- the list ---------------------------------------------------------------------------------- */

static bool read_call(struct plan *plan, size_t index, char *problem)
{
    const json_t *entry = json_array_get(plan->json, index);
    const json_t *url = json_object_get(entry, "url");
    const char *wrong = NULL;
    if (!json_is_object(entry)) {
        snprintf(problem, PLAN_PROBLEM_MAX, "[%zu] is no object", index);
    } else if (!json_is_string(url)) {
        snprintf(problem, PLAN_PROBLEM_MAX, "[%zu].url is missing, or no string", index);
    } else if ((wrong = parse_url(&plan->calls[index], json_string_value(url))) != NULL) {
        snprintf(problem, PLAN_PROBLEM_MAX, "[%zu].url %s: %.200s", index, wrong,
                 json_string_value(url));
    } else if (json_object_get(entry, "arguments") == NULL) {
        snprintf(problem, PLAN_PROBLEM_MAX, "[%zu].arguments are missing", index);
    } else {
        return true;
    }
    return false;
}

/* The JSON of a plan with its right shape, or NULL. */
static json_t *load_list(const char *text, size_t length, char *problem)
{
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        snprintf(problem, PLAN_PROBLEM_MAX, "the body is no JSON: %s, at byte %d", error.text,
                 error.position);
    } else if (!json_is_array(json)) {
        snprintf(problem, PLAN_PROBLEM_MAX, "the body is no list of calls");
    } else if (json_array_size(json) > PLAN_CALLS_MAX) {
        snprintf(problem, PLAN_PROBLEM_MAX, "the list has %zu calls: %d are allowed",
                 json_array_size(json), PLAN_CALLS_MAX);
    } else {
        return json;
    }
    json_decref(json);
    return NULL;
}

struct plan *plan_parse(const char *text, size_t length, char problem[PLAN_PROBLEM_MAX])
{
    json_t *json = load_list(text, length, problem);
    if (json == NULL) {
        return NULL;
    }
    size_t count = json_array_size(json);
    struct plan *plan = calloc(1, sizeof(*plan) + count * sizeof(plan->calls[0]));
    if (plan == NULL) {
        snprintf(problem, PLAN_PROBLEM_MAX, "no memory for a plan");
        json_decref(json);
        return NULL;
    }
    plan->json = json;
    for (; plan->count < count; plan->count++) {
        if (!read_call(plan, plan->count, problem)) {
            plan_destroy(plan);
            return NULL;
        }
    }
    return plan;
}

void plan_destroy(struct plan *plan)
{
    if (plan != NULL) {
        json_decref(plan->json);
        free(plan);
    }
}

size_t plan_count(const struct plan *plan)
{
    return plan->count;
}

const struct plan_call *plan_at(const struct plan *plan, size_t index)
{
    return &plan->calls[index];
}

char *plan_arguments(const struct plan *plan, size_t index)
{
    const json_t *arguments = json_object_get(json_array_get(plan->json, index), "arguments");
    return json_dumps(arguments, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
}
