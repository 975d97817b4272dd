/*
 * The sum is simple: what is open, by us or by who started us, and what we open later; then the
 * operators' connections and the refused ones that linger, and the rest for the public. Few as they
 * are, half of the spare ones go to the public.
 */
#include "descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "diagnostics.h"
#include "options.h"
#include "refuser.h"
#include "service.h"

/* What comes and goes: a file that a scrape reads, a log that is reopened; an exporter's connection,
 * its question to a nameserver, a file that it reads for either. */
#define LATER          3
#define LATER_EXPORTER 4

/* Where /proc cannot be asked each number is, up to this one. */
#define LOOKED_AT_MAX 4096

static size_t count_one_by_one(void)
{
    size_t count = 0;
    for (int fd = 0; fd < LOOKED_AT_MAX; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static size_t count_open(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return count_one_by_one();
    }
    size_t count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count - 3; /* two dots, and the folder's own */
}

static size_t own_descriptors(const struct service *service)
{
    return count_open() + LATER + (service->exporter != NULL ? LATER_EXPORTER : 0) +
           (service->logs_exporter != NULL ? LATER_EXPORTER : 0);
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
