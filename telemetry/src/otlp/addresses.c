#include "otlp/addresses.h"

#include <arpa/inet.h>
#include <string.h>

bool tel__address_is_numeric(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

void tel__addresses_add(struct tel__addresses *addresses, const char *text)
{
    size_t length = strlen(text);
    if (addresses->count == TEL__ADDRESSES_MAX || length >= sizeof(addresses->text[0])) {
        return;
    }
    for (size_t i = 0; i < addresses->count; i++) {
        if (strcmp(addresses->text[i], text) == 0) {
            return;
        }
    }
    memcpy(addresses->text[addresses->count++], text, length + 1);
}

static void add_some(struct tel__addresses *addresses, const struct tel__addresses *more,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tel__addresses_add(addresses, more->text[i]);
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void tel__addresses_join(struct tel__addresses *addresses, const struct tel__addresses *ipv6,
                         const struct tel__addresses *ipv4)
{
    size_t kept = smaller(ipv4->count, TEL__ADDRESSES_MAX / 2);
    addresses->count = 0;
    add_some(addresses, ipv6, smaller(ipv6->count, TEL__ADDRESSES_MAX - kept));
    add_some(addresses, ipv4, ipv4->count);
}

/* ---- what failed --------------------------------------------------------------------------- */

/* Its place, or TEL__ADDRESSES_MAX. */
static size_t find(const struct tel__avoided *avoided, const char *text)
{
    size_t i = 0;
    while (i < TEL__ADDRESSES_MAX && strcmp(avoided->items[i].text, text) != 0) {
        i++;
    }
    return i;
}

void tel__avoided_add(struct tel__avoided *avoided, const char *text, uint64_t now_ns)
{
    size_t place = find(avoided, text);
    size_t length = strlen(text);
    if (length >= sizeof(avoided->items[0].text)) {
        return;
    }
    if (place == TEL__ADDRESSES_MAX) { /* the oldest makes room */
        place = avoided->next++ % TEL__ADDRESSES_MAX;
    }
    memcpy(avoided->items[place].text, text, length + 1);
    avoided->items[place].until_ns = now_ns + TEL__ADDRESS_AVOID_NS;
}

void tel__avoided_remove(struct tel__avoided *avoided, const char *text)
{
    size_t place = find(avoided, text);
    if (place < TEL__ADDRESSES_MAX) {
        avoided->items[place].until_ns = 0;
    }
}

static bool is_avoided(const struct tel__avoided *avoided, const char *text, uint64_t now_ns)
{
    size_t place = find(avoided, text);
    return place < TEL__ADDRESSES_MAX && now_ns < avoided->items[place].until_ns;
}

void tel__avoided_sort(const struct tel__avoided *avoided, struct tel__addresses *addresses,
                       uint64_t now_ns)
{
    const struct tel__addresses given = *addresses;
    addresses->count = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < given.count; i++) {
            if (is_avoided(avoided, given.text[i], now_ns) == (round == 1)) {
                tel__addresses_add(addresses, given.text[i]);
            }
        }
    }
}
