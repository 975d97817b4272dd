/*
 * The ends of a connection as the signals show them: host and port apart.
 *
 * Pure functions; any thread. IPv4 addresses mapped into IPv6 (a dual-stack listener's) are shown as
 * IPv4. (address.h is about addresses as operators write them.)
 */
#ifndef GLASSBOX_PEER_H
#define GLASSBOX_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEER_HOST_BYTES 48 /* of the longest host and a NUL */

/* Writes the host without its port and a NUL; returns the length. NULL or an unknown family: 0. */
size_t peer_format_host(const struct sockaddr *address, char out[PEER_HOST_BYTES]);

/* The port in host order, 0 if there is none. */
uint16_t peer_port(const struct sockaddr *address);

#endif
