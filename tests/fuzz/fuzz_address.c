/*
 * Socket addresses from arbitrary bytes: what is taken is written in a form that reads back as the
 * same text, and is an address that a socket could have; what is refused changes nothing.
 */
#include "address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_taken(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];
    char again_text[ADDRESS_TEXT_MAX];
    struct address again;
    check(address->any.sa_family == AF_INET
              ? address->length == sizeof(address->v4)
              : address->any.sa_family == AF_INET6 && address->length == sizeof(address->v6));
    check(!address->every_family || IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr));
    check(address_format(&address->any, text) == text && strlen(text) < ADDRESS_TEXT_MAX);
    check(address_parse(text, strlen(text), &again) == 0);
    check(strcmp(address_format(&again.any, again_text), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address address;
    struct address before;
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    memset(&before, 0xa5, sizeof(before));
    memcpy(&address, &before, sizeof(address));
    if (address_parse(copy, size, &address) == 0) {
        check_taken(&address);
    } else {
        check(memcmp(&address, &before, sizeof(address)) == 0);
    }
    free(copy);
    return 0;
}
