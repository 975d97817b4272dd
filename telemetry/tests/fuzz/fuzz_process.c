/*
 * /proc/self/stat and statm with arbitrary bytes: a number that is read is the field that proc(5)
 * says, whatever the command is called, and what is too short gives none.
 */
#include "metrics/process.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A name for a file in memory with these bytes; *fd is to be closed. */
static void make_file(const void *bytes, size_t size, char path[64], int *fd)
{
    *fd = memfd_create("fuzz", MFD_CLOEXEC);
    check(*fd >= 0 && write(*fd, bytes, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", *fd);
}

/* A line as the kernel writes it, its command being the input: the start is found behind it. */
static void check_command(const uint8_t *data, size_t size)
{
    char line[512];
    char path[64];
    uint64_t ticks = 0;
    int fd;
    size_t length = (size_t)snprintf(line, sizeof(line), "17 (");
    memcpy(line + length, data, size);
    length += size;
    length += (size_t)snprintf(line + length, sizeof(line) - length,
                               ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n");
    make_file(line, length, path, &fd);
    check(tel__process_read_start(path, &ticks) == 0 && ticks == 4711);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t ticks = 7;
    uint64_t pages[2] = {7, 7};
    char path[64];
    int fd;
    make_file(data, size, path, &fd);
    bool started = tel__process_read_start(path, &ticks) == 0;
    bool measured = tel__process_read_statm(path, pages) == 0;
    close(fd);
    check(!started || memchr(data, ')', size) != NULL);
    check(started || ticks == 7);
    check(!measured || size >= 3);
    /* The kernel's own limit of a command is 15 bytes, none of them a NUL. */
    if (size <= 64 && memchr(data, '\0', size) == NULL) {
        check_command(data, size);
    }
    return 0;
}
