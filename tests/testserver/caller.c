/*
 * libevent's client calls back from within itself, with its objects half alive: so its callbacks
 * only note what happened, and `step` goes on from the loop. A connection is used for one call.
 */
#include "caller.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "telemetry/clock.h"

struct caller {
    struct event_base *base;
    struct tel_tracer *tracer;
    struct names *names;
};

enum outcome { UNDER_WAY, FOUND, NO_CONNECTION, FAILED, ANSWERED };

struct calls {
    struct caller *caller;
    const struct plan *plan;
    const struct tel_span *parent;
    caller_done_fn *done;
    void *argument;
    struct event *step;  /* something was noted */
    struct event *limit; /* the time of a call is over */
    uint64_t until_ns;   /* monotonic; of the whole plan */
    size_t at;           /* the call under way */
    bool in_span;
    struct tel_span span;

    struct lookup *lookup; /* NULL: none under way */
    struct addresses addresses;
    size_t address; /* the one that is tried */
    struct evhttp_connection *connection;
    bool connected;

    enum outcome outcome;
    int status;
    char reason[128];
};

static void note(struct calls *calls, enum outcome outcome, const char *reason)
{
    if (calls->outcome == UNDER_WAY) {
        calls->outcome = outcome;
        snprintf(calls->reason, sizeof(calls->reason), "%s", reason);
        event_active(calls->step, 0, 0);
    }
}

/* ---- a call ends --------------------------------------------------------------------------- */

static bool is_good(int status)
{
    return status >= 200 && status <= 299;
}

static void end_span(struct calls *calls)
{
    if (!calls->in_span) {
        return;
    }
    char error_type[16] = "_OTHER";
    calls->in_span = false;
    if (calls->status > 0) {
        tel_span_set_int(&calls->span, "http.response.status_code", calls->status);
        snprintf(error_type, sizeof(error_type), "%d", calls->status);
    }
    if (!is_good(calls->status)) {
        tel_span_set_string(&calls->span, "error.type", error_type, strlen(error_type));
        tel_span_set_status(&calls->span, TEL_STATUS_ERROR);
    }
    tel_span_end(&calls->span, 0);
}

static void close_connection(struct calls *calls)
{
    struct evhttp_connection *connection = calls->connection;
    calls->connection = NULL;
    calls->connected = false;
    if (connection != NULL) {
        evhttp_connection_free(connection); /* calls nobody back */
    }
}

static void stop(struct calls *calls)
{
    names_cancel(calls->lookup);
    calls->lookup = NULL;
    close_connection(calls);
    event_del(calls->limit);
    end_span(calls);
}

static void destroy(struct calls *calls)
{
    if (calls->step != NULL) {
        event_free(calls->step);
    }
    if (calls->limit != NULL) {
        event_free(calls->limit);
    }
    free(calls);
}

static void finish(struct calls *calls, const char *problem)
{
    caller_done_fn *done = calls->done;
    void *argument = calls->argument;
    stop(calls);
    destroy(calls);
    done(problem, argument);
}

static void fail(struct calls *calls)
{
    char problem[CALLER_PROBLEM_MAX];
    snprintf(problem, sizeof(problem), "%s: %s", plan_at(calls->plan, calls->at)->url,
             calls->reason);
    finish(calls, problem);
}

/* ---- the post ------------------------------------------------------------------------------ */

static void on_answer(struct evhttp_request *request, void *argument)
{
    struct calls *calls = argument;
    if (request == NULL) {
        return; /* on_error() was called a moment ago */
    }
    calls->status = evhttp_request_get_response_code(request);
    if (calls->status == 0) {
        note(calls, calls->connected ? FAILED : NO_CONNECTION, "no connection");
        return;
    }
    char text[32];
    snprintf(text, sizeof(text), "answered %d", calls->status);
    note(calls, ANSWERED, text);
}

static void on_error(enum evhttp_request_error error, void *argument)
{
    struct calls *calls = argument;
    const char *reason = error == EVREQ_HTTP_INVALID_HEADER  ? "the answer is not HTTP"
                         : error == EVREQ_HTTP_DATA_TOO_LONG ? "the answer is too large"
                                                             : "the connection ended too early";
    if (calls->connected) {
        note(calls, FAILED, reason);
    } else {
        note(calls, NO_CONNECTION, "no connection");
    }
}

/* libevent does not say when it is connected, but the request is written at that moment. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *argument)
{
    struct calls *calls = argument;
    (void)output;
    calls->connected |= info->n_added > 0;
}

static void set_header(void *carrier, const char *name, const char *value, size_t length)
{
    (void)length;
    evhttp_add_header(carrier, name, value);
}

/* NULL without memory. */
static struct evhttp_request *make_request(struct calls *calls)
{
    const struct plan_call *call = plan_at(calls->plan, calls->at);
    char *body = plan_arguments(calls->plan, calls->at);
    struct evhttp_request *request = body != NULL ? evhttp_request_new(on_answer, calls) : NULL;
    if (request != NULL) {
        struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
        evhttp_request_set_error_cb(request, on_error);
        evhttp_add_header(headers, "Host", call->authority);
        evhttp_add_header(headers, "Content-Type", "application/json");
        evhttp_add_header(headers, "Connection", "close");
        tel_span_inject(&calls->span, set_header, headers);
        evbuffer_add(evhttp_request_get_output_buffer(request), body, strlen(body));
    }
    free(body);
    return request;
}

/* Posts to the address that is to be tried. */
static void post(struct calls *calls)
{
    struct caller *caller = calls->caller;
    const struct plan_call *call = plan_at(calls->plan, calls->at);
    struct bufferevent *bufferevent =
        bufferevent_socket_new(caller->base, -1, BEV_OPT_CLOSE_ON_FREE);
    errno = 0; /* evhttp takes any ECONNREFUSED it finds there, also that of another address */
    if (bufferevent != NULL) {
        evbuffer_add_cb(bufferevent_get_output(bufferevent), on_output, calls);
        calls->connection = evhttp_connection_base_bufferevent_new(
            caller->base, names_evdns(caller->names), bufferevent,
            calls->addresses.text[calls->address], call->port);
        if (calls->connection == NULL) {
            bufferevent_free(bufferevent);
        }
    }
    struct evhttp_request *request = calls->connection != NULL ? make_request(calls) : NULL;
    if (request == NULL) {
        note(calls, FAILED, "no memory for a call");
        return;
    }
    evhttp_connection_set_max_headers_size(calls->connection, CALLER_ANSWER_MAX);
    evhttp_connection_set_max_body_size(calls->connection, CALLER_ANSWER_MAX);
    if (evhttp_make_request(calls->connection, request, EVHTTP_REQ_POST, call->target) != 0) {
        note(calls, NO_CONNECTION, "no connection");
    }
}

/* ---- the name ------------------------------------------------------------------------------ */

static void on_found(const struct addresses *addresses, const char *reason, void *argument)
{
    struct calls *calls = argument;
    calls->lookup = NULL;
    calls->addresses = *addresses;
    calls->address = 0;
    note(calls, addresses->count > 0 ? FOUND : FAILED, reason);
}

/* ---- one call after the other -------------------------------------------------------------- */

static void set_limit(struct calls *calls)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t left_ns = calls->until_ns > now_ns ? calls->until_ns - now_ns : 0;
    uint64_t most_ns = CALLER_CALL_MS * TEL_NS_PER_MS;
    left_ns = left_ns < most_ns ? left_ns : most_ns;
    const struct timeval limit = {.tv_sec = (time_t)(left_ns / TEL_NS_PER_SECOND),
                                  .tv_usec = (suseconds_t)(left_ns % TEL_NS_PER_SECOND / 1000)};
    evtimer_add(calls->limit, &limit);
}

static void begin_call(struct calls *calls)
{
    const struct plan_call *call = plan_at(calls->plan, calls->at);
    tel_span_begin(&calls->span, calls->caller->tracer, 0,
                   &(struct tel_span_start){
                       .name = "POST", .kind = TEL_SPAN_CLIENT, .parent_span = calls->parent});
    calls->in_span = true;
    tel_span_set_string(&calls->span, "http.request.method", "POST", 4);
    tel_span_set_string(&calls->span, "server.address", call->host, strlen(call->host));
    tel_span_set_int(&calls->span, "server.port", call->port);
    tel_span_set_string(&calls->span, "url.full", call->url, strlen(call->url));
    calls->status = 0;
    set_limit(calls);
    calls->lookup = names_start(calls->caller->names, call->host, on_found, calls);
}

/* What was noted is acted upon. */
static void on_step(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct calls *calls = argument;
    enum outcome outcome = calls->outcome;
    calls->outcome = UNDER_WAY;
    close_connection(calls);
    if (calls->at == plan_count(calls->plan)) {
        finish(calls, NULL); /* of a plan without calls */
    } else if (outcome == FOUND) {
        post(calls);
    } else if (outcome == NO_CONNECTION && ++calls->address < calls->addresses.count) {
        post(calls);
    } else if (outcome != ANSWERED || !is_good(calls->status)) {
        fail(calls);
    } else {
        event_del(calls->limit);
        end_span(calls);
        if (++calls->at < plan_count(calls->plan)) {
            begin_call(calls);
        } else {
            finish(calls, NULL);
        }
    }
}

static void on_limit(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct calls *calls = argument;
    if (calls->outcome == UNDER_WAY) { /* else it ended a moment ago: `step` is due */
        snprintf(calls->reason, sizeof(calls->reason), "no answer in time");
        fail(calls);
    }
}

struct calls *caller_start(struct caller *caller, const struct plan *plan,
                           const struct tel_span *parent, caller_done_fn *done, void *argument)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    if (calls == NULL) {
        return NULL;
    }
    calls->caller = caller;
    calls->plan = plan;
    calls->parent = parent;
    calls->done = done;
    calls->argument = argument;
    calls->until_ns = tel_clock_monotonic_ns() + CALLER_PLAN_MS * TEL_NS_PER_MS;
    calls->step = event_new(caller->base, -1, 0, on_step, calls);
    calls->limit = evtimer_new(caller->base, on_limit, calls);
    if (calls->step == NULL || calls->limit == NULL) {
        destroy(calls);
        return NULL;
    }
    if (plan_count(plan) > 0) {
        begin_call(calls);
    } else {
        event_active(calls->step, 0, 0);
    }
    return calls;
}

void caller_cancel(struct calls *calls)
{
    if (calls != NULL) {
        stop(calls);
        destroy(calls);
    }
}

/* ---- what they share ----------------------------------------------------------------------- */

struct caller *caller_create(struct event_base *base, struct tel_tracer *tracer)
{
    struct caller *caller = calloc(1, sizeof(*caller));
    if (caller == NULL) {
        return NULL;
    }
    *caller = (struct caller){.base = base, .tracer = tracer};
    caller->names = names_create(base);
    if (caller->names == NULL) {
        free(caller);
        errno = ENOMEM;
        return NULL;
    }
    return caller;
}

void caller_destroy(struct caller *caller)
{
    if (caller != NULL) {
        names_destroy(caller->names);
        free(caller);
    }
}
