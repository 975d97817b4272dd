/*
 * POST /incidents/{name}: plays one that the program carries, from now on, over the file's plan.
 */
#include "faults/incidents.h"

#include <errno.h>

#include "exchange.h"
#include "faults/faults.h"
#include "handlers/handlers.h"
#include "handlers/operator.h"
#include "service.h"

#define NAME_SHOWN  64  /* bytes of a name that is none */
#define NAMES_SHOWN 256 /* bytes of all there are */

static void answer_unknown(struct exchange *exchange, struct http_slice name)
{
    struct tel_buffer names;
    tel_buffer_init(&names, NAMES_SHOWN);
    for (size_t i = 0; fault_incident_name(i) != NULL; i++) {
        tel_buffer_append_string(&names, i > 0 ? ", " : "");
        tel_buffer_append_string(&names, fault_incident_name(i));
    }
    exchange_problem(exchange, 404, "there is no incident `%.*s`: %.*s",
                     (int)(name.length < NAME_SHOWN ? name.length : NAME_SHOWN), name.data,
                     (int)names.length, names.length > 0 ? names.data : "");
    tel_buffer_fini(&names);
}

void handle_incidents(struct exchange *exchange)
{
    if (!operator_is_allowed(exchange)) {
        return;
    }
    if (exchange->http->request.body_bytes > 0) {
        exchange_problem(exchange, 400, "an incident is played as it is: no content is taken");
        return;
    }
    const struct http_slice name = exchange_path_rest(exchange);
    switch (faults_play(exchange->site->service->faults, name.data, name.length)) {
    case 0:
        operator_answer_faults(exchange);
        break;
    case -ENOENT:
        answer_unknown(exchange, name);
        break;
    default:
        exchange_problem(exchange, 503, "there is no memory to read the incident");
        break;
    }
}
