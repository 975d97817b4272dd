/*
 * Formatting is on the way of every recorded span, so IPv4 is written by hand; IPv6 is left to the C
 * library.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The octets in decimal, each with the dot that follows it. */
#define OCTET(digits)              \
    {                              \
        digits ".", sizeof(digits) \
    }
#define TEN(tens)                                                                        \
    OCTET(tens "0"), OCTET(tens "1"), OCTET(tens "2"), OCTET(tens "3"), OCTET(tens "4"), \
        OCTET(tens "5"), OCTET(tens "6"), OCTET(tens "7"), OCTET(tens "8"), OCTET(tens "9")

static const struct {
    char text[4]; /* no NUL */
    uint8_t length;
} octet_texts[256] = {
    TEN(""),      TEN("1"),     TEN("2"),     TEN("3"),  TEN("4"),     TEN("5"),     TEN("6"),
    TEN("7"),     TEN("8"),     TEN("9"),     TEN("10"), TEN("11"),    TEN("12"),    TEN("13"),
    TEN("14"),    TEN("15"),    TEN("16"),    TEN("17"), TEN("18"),    TEN("19"),    TEN("20"),
    TEN("21"),    TEN("22"),    TEN("23"),    TEN("24"), OCTET("250"), OCTET("251"), OCTET("252"),
    OCTET("253"), OCTET("254"), OCTET("255"),
};

/* `out` has room for the longest: each octet is copied with the bytes behind it. */
static size_t format_ipv4(const uint8_t octets[4], char *out)
{
    size_t length = 0;
    for (int i = 0; i < 4; i++) {
        memcpy(out + length, octet_texts[octets[i]].text, sizeof(octet_texts[0].text));
        length += octet_texts[octets[i]].length;
    }
    out[--length] = '\0'; /* over the last dot */
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
