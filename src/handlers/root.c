/*
 * GET /: a message and the current Unix time as one minified JSON object. Message and unit of time
 * are options.
 */
#include <string.h>

#include "exchange.h"
#include "handlers/handlers.h"
#include "options.h"
#include "service.h"
#include "telemetry/clock.h"

void handle_root(struct exchange *exchange)
{
    const struct options *options = exchange->site->service->options;
    uint64_t wall_ns = exchange->http->start_ns + exchange->site->wall_offset_ns;
    struct tel_buffer *body = &exchange->site->body;
    tel_buffer_clear(body);
    tel_buffer_append_string(body, "{\"message\":");
    tel_buffer_append_json(body, options->message, strlen(options->message));
    tel_buffer_append_string(body, ",\"timestamp\":");
    tel_buffer_append_u64(body, wall_ns / (options->timestamp_unit == OPTION_TIMESTAMP_MS
                                               ? TEL_NS_PER_MS
                                               : TEL_NS_PER_SECOND));
    tel_buffer_append_string(body, "}");
    if (body->error != 0) {
        exchange_problem(exchange, 503, "no memory for the answer");
        return;
    }
    if (exchange->site->service->page != NULL &&
        (exchange->site->side & SIDE_OPERATORS) != 0) { /* browsers get another answer here */
        http_response_add(&exchange->http->response, "Vary", "Accept", 6);
    }
    exchange_reply(exchange, 200, "application/json", body->data, body->length);
}
