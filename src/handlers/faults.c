/*
 * GET /faults: what is in force. PUT: a plan, laid over the file's until its end. DELETE: the file's
 * is in force again. All answer with what is in force then; of this process alone.
 */
#include "faults/faults.h"

#include <errno.h>
#include <strings.h>

#include "exchange.h"
#include "handlers/handlers.h"
#include "handlers/operator.h"
#include "service.h"

/* A plan is taken as it is, in no coding. */
static bool is_coded(const struct http_request *request)
{
    static const char name[] = "content-encoding";
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_slice *found = &request->fields[i].name;
        if (found->length == sizeof(name) - 1 &&
            strncasecmp(found->data, name, sizeof(name) - 1) == 0) {
            return true;
        }
    }
    return false;
}

static void put(struct exchange *exchange)
{
    char reason[FAULT_REASON_BYTES];
    const struct http_slice plan = exchange_content(exchange);
    if (!exchange_content_is(exchange, "application/json")) {
        exchange_problem(exchange, 415, "a plan is application/json");
        return;
    }
    if (is_coded(&exchange->http->request)) {
        exchange_problem(exchange, 415, "Content-Encoding: a plan is taken without any");
        return;
    }
    switch (faults_put(exchange->site->service->faults, plan.data, plan.length, reason)) {
    case 0:
        operator_answer_faults(exchange);
        break;
    case -EBADMSG:
        exchange_problem(exchange, 400, "%s", reason);
        break;
    case -EINVAL:
        exchange_problem(exchange, 422, "%s", reason);
        break;
    default:
        exchange_problem(exchange, 503, "%s", reason);
        break;
    }
}

void handle_faults(struct exchange *exchange)
{
    if (!operator_is_allowed(exchange)) {
        return;
    }
    switch (exchange->http->request.method) {
    case HTTP_METHOD_PUT:
        put(exchange);
        break;
    case HTTP_METHOD_DELETE:
        faults_clear(exchange->site->service->faults);
        operator_answer_faults(exchange);
        break;
    default:
        operator_answer_faults(exchange);
        break;
    }
}
