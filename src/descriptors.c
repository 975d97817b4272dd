/*
 * The sum is simple: what the process itself opens, then the operators' connections and the refused
 * ones that linger, and the rest for the public. Few as they are, half of the spare ones go to the
 * public.
 */
#include "descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "diagnostics.h"
#include "options.h"
#include "refuser.h"
#include "service.h"

/* What the process itself opens: standard descriptors, loops, log, exporter, and a listener with its
 * reserve for each address. */
static size_t own_descriptors(const struct service *service)
{
    size_t listeners = service->options->listen.count + 1;
    return 17 + 3 * service->worker_count + 2 * listeners;
}

/* The soft limit, raised to `needed` where the hard one allows it. */
static size_t descriptor_limit(size_t needed)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return needed;
    }
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

int descriptors_share(const struct service *service, struct descriptors *shares)
{
    size_t wanted = service->options->max_connections;
    size_t own = own_descriptors(service);
    size_t limit = descriptor_limit(own + OPERATOR_CONNECTIONS_MAX + REFUSER_SLOTS + wanted);
    if (limit < own + 3) {
        DIAGNOSTICS(TEL_ERROR, "server", "the descriptor limit is too low",
                    DIAGNOSTICS_NUMBER("descriptor_limit", limit),
                    DIAGNOSTICS_NUMBER("needed", own + 3),
                    DIAGNOSTICS_TEXT("error", strerror(EMFILE)));
        return -EMFILE;
    }
    size_t spare = limit - own;
    size_t rest = OPERATOR_CONNECTIONS_MAX + REFUSER_SLOTS;
    rest = spare / 2 < rest ? spare - spare / 2 : rest;
    shares->connections = spare - rest < wanted ? spare - rest : wanted;
    shares->operators = rest / 2;
    shares->refused = rest / 2;
    if (shares->connections < wanted) {
        DIAGNOSTICS(TEL_WARN, "server",
                    "fewer connections than asked for: the descriptor limit is low",
                    DIAGNOSTICS_NUMBER("max_connections", wanted),
                    DIAGNOSTICS_NUMBER("connections_limit", shares->connections),
                    DIAGNOSTICS_NUMBER("descriptor_limit", limit));
    }
    return 0;
}
