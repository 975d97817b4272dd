/*
 * One wording for every bad parameter. The value itself is not repeated: it is the client's, and the
 * name with the allowed range says enough.
 */
#include "handlers/parameter.h"

#include <inttypes.h>

#include "exchange.h"
#include "query.h"

bool parameter_number(struct exchange *exchange, const char *name, const char *unit,
                      uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    switch (query_number(exchange->http->request.query, name, minimum, maximum, value)) {
    case QUERY_BAD:
        exchange_problem(exchange, 400,
                         "query parameter '%s' must be a whole number of %s from %" PRIu64
                         " to %" PRIu64,
                         name, unit, minimum, maximum);
        return false;
    case QUERY_REPEATED:
        exchange_problem(exchange, 400, "query parameter '%s' must be given once", name);
        return false;
    case QUERY_ABSENT:
    case QUERY_OK:
        break;
    }
    return true;
}
