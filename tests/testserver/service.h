/*
 * What the test server answers: `/` echoes the body of any method, `POST /trace` calls what its body
 * asks for and answers then. Everything else is the engine's.
 *
 * Threads: the loop's.
 */
#ifndef TESTSERVER_SERVICE_H
#define TESTSERVER_SERVICE_H

#include "caller.h"
#include "http/http.h"

struct service {
    struct tel_tracer *tracer;
    struct caller *caller;
};

/* The calls to give to an engine. Borrows the service. */
struct http_service service_calls(struct service *service);

#endif
