/*
 * Formatting is on the way of every recorded span, so IPv4 is written by hand; IPv6 is left to the C
 * library.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static size_t format_octet(uint8_t octet, char *out)
{
    size_t length = 0;
    if (octet >= 100) {
        out[length++] = (char)('0' + octet / 100);
    }
    if (octet >= 10) {
        out[length++] = (char)('0' + octet / 10 % 10);
    }
    out[length++] = (char)('0' + octet % 10);
    return length;
}

static size_t format_ipv4(const uint8_t octets[4], char *out)
{
    size_t length = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            out[length++] = '.';
        }
        length += format_octet(octets[i], out + length);
    }
    out[length] = '\0';
    return length;
}

size_t peer_format_host(const struct sockaddr *address, char out[PEER_HOST_BYTES])
{
    out[0] = '\0';
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return format_ipv4((const uint8_t *)&in->sin_addr, out);
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            return format_ipv4(in6->sin6_addr.s6_addr + 12, out);
        }
        inet_ntop(AF_INET6, &in6->sin6_addr, out, PEER_HOST_BYTES);
        return strlen(out);
    }
    return 0;
}

uint16_t peer_port(const struct sockaddr *address)
{
    if (address != NULL && address->sa_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    }
    return 0;
}
