/*
 * Descriptors: who may have how many, so that an overload of the public port takes none from the
 * operators, the log or the exporter.
 *
 * Threads: the main thread, before it accepts.
 */
#ifndef GLASSBOX_DESCRIPTORS_H
#define GLASSBOX_DESCRIPTORS_H

#include <stddef.h>

/* Connections on the operators' listener. */
#define OPERATOR_CONNECTIONS_MAX 32

struct service;

struct descriptors {
    size_t connections; /* public ones: --max-connections, or fewer */
    size_t operators;
    size_t refused; /* that linger (refuser.h) */
};

/* Raises the soft limit as far as needed and allowed, and shares out what is left when everything that
 * the service needs for itself is open. Fewer connections than asked for are told as a warning. Returns 0, or -EMFILE, told, when there are too few to serve at all. */
int descriptors_share(const struct service *service, struct descriptors *shares);

#endif
