/*
 * The one gate of the fault API, and the one answer.
 */
#include "handlers/operator.h"

#include <string.h>

#include "diagnostics.h"
#include "exchange.h"
#include "faults/faults.h"
#include "faults/token.h"
#include "options.h"
#include "service.h"

static void add_header(struct exchange *exchange, const char *name, const char *value)
{
    http_response_add(&exchange->http->response, name, value, strlen(value));
}

static void challenge(struct exchange *exchange, const char *how, const char *detail)
{
    add_header(exchange, "WWW-Authenticate", how);
    exchange_problem(exchange, 401, "%s", detail);
}

/* Two headers are two answers to one question: none. */
static struct http_slice authorization(const struct http_request *request)
{
    return request->known_count[HTTP_KNOWN_AUTHORIZATION] == 1
               ? request->known[HTTP_KNOWN_AUTHORIZATION]->value
               : (struct http_slice){NULL, 0};
}

bool operator_is_allowed(struct exchange *exchange)
{
    const char *path = exchange->site->service->options->fault_token_file;
    char reason[FAULT_TOKEN_REASON_BYTES];
    add_header(exchange, "Cache-Control", "no-store");
    if (path[0] == '\0') {
        exchange_problem(exchange, 404, "the fault API is off: --fault-token-file turns it on");
        return false;
    }
    switch (fault_token_judge(path, authorization(&exchange->http->request), reason)) {
    case FAULT_TOKEN_GOOD:
        return true;
    case FAULT_TOKEN_MISSING:
        challenge(exchange, "Bearer",
                  "this needs the token of --fault-token-file: "
                  "`Authorization: Bearer TOKEN`, once");
        break;
    case FAULT_TOKEN_WRONG:
        challenge(exchange, "Bearer error=\"invalid_token\"",
                  "the token is not the one of "
                  "--fault-token-file");
        break;
    case FAULT_TOKEN_UNREADABLE:
        DIAGNOSTICS(TEL_WARN, "fault-api", "the fault API's token cannot be used",
                    DIAGNOSTICS_TEXT("path", path), DIAGNOSTICS_TEXT("reason", reason));
        exchange_problem(exchange, 503, "the token in --fault-token-file cannot be used: %s",
                         reason);
        break;
    }
    return false;
}

void operator_answer_faults(struct exchange *exchange)
{
    struct tel_buffer *body = &exchange->site->body;
    tel_buffer_clear(body);
    faults_append_json(exchange->site->service->faults, body);
    tel_buffer_append_char(body, '\n');
    if (body->error != 0) {
        exchange_problem(exchange, 503, "no memory for the answer");
        return;
    }
    exchange_reply(exchange, 200, "application/json", body->data, body->length);
}
