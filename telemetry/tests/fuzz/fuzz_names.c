/*
 * Any bytes as a hosts file and as a resolv.conf: the first line is the name to be looked up. What
 * comes out is addresses, and names that can be asked for.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "otlp/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_hosts(const char *path, const char *name)
{
    struct tel__addresses addresses;
    bool found = tel__hosts_find(path, name, &addresses);
    require(found == (addresses.count > 0) && addresses.count <= TEL__ADDRESSES_MAX);
    for (size_t i = 0; i < addresses.count; i++) {
        require(tel__address_is_numeric(addresses.text[i]));
    }
}

static void check_search(const char *path, const char *host)
{
    struct tel__search search;
    char name[TEL__NAME_MAX + 1];
    size_t count = 0;
    size_t as_it_is = 0;
    tel__search_read(path, &search);
    require(search.count <= TEL__SEARCH_MAX && search.ndots <= TEL__NDOTS_MAX);
    for (size_t i = 0; i < search.count; i++) {
        require(search.domains[i][0] != '\0' && strpbrk(search.domains[i], " \t\r\n") == NULL);
    }
    while (tel__search_name(&search, host, count, name)) {
        require(strlen(name) <= TEL__NAME_MAX);
        as_it_is += strcmp(name, host) == 0;
        count++;
    }
    bool whole = host[0] != '\0' && host[strlen(host) - 1] == '.';
    require(count == (whole ? 1 : search.count + 1));
    require(whole || as_it_is >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[32];
    char name[TEL__NAME_MAX + 1];
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t length = end != NULL ? (size_t)(end - data) : 0;
    if (end == NULL || length > TEL__NAME_MAX || memchr(data, '\0', length) != NULL) {
        return 0;
    }
    memcpy(name, data, length);
    name[length] = '\0';
    fd = fd < 0 ? memfd_create("names", MFD_CLOEXEC) : fd;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, end, size - length, 0) != (ssize_t)(size - length)) {
        return 0;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    check_hosts(path, name);
    check_search(path, name);
    return 0;
}
