/*
 * A log file that is there already, with arbitrary bytes in it: the judgement is one of four, and is
 * what its first directives and last byte say. With our own directives in front it is ours.
 */
#include "access_log/existing.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access_log/directives.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A file in memory, which can be opened by name while it lives. */
static int judge(const struct tel__fields *fields, const void *bytes, size_t size)
{
    char path[64];
    struct stat status;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    check(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && fstat(fd, &status) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int verdict = tel__existing_judge(path, &status, fields);
    close(fd);
    return verdict;
}

static void check_judged(const struct tel__fields *fields, const char *bytes, size_t size)
{
    int verdict = judge(fields, bytes, size);
    if (size == 0) {
        check(verdict == TEL__EXISTING_EMPTY);
        return;
    }
    bool ends = bytes[size - 1] == '\n';
    check(verdict == TEL__EXISTING_OTHER ||
          verdict == (ends ? TEL__EXISTING_OURS : TEL__EXISTING_TORN));
    /* Nothing is ours whose first bytes are no directive of any kind. */
    check(verdict == TEL__EXISTING_OTHER || bytes[0] == '#' || bytes[0] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tel__fields fields[2];
    if (fields[0].count == 0) {
        check(tel__fields_compile(&fields[0], tel_access_fields_default, false, NULL, 0) == 0);
        check(tel__fields_compile(&fields[1], tel_access_fields_iis, true, NULL, 0) == 0);
    }
    if (size > 32768) {
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        struct tel_buffer ours;
        check_judged(&fields[i], (const char *)data, size);
        tel_buffer_init(&ours, 65536);
        tel__directives_append(&ours, &fields[i], "fuzz", 0);
        tel_buffer_append(&ours, data, size);
        check(ours.error == 0);
        bool ends = ours.data[ours.length - 1] == '\n';
        check(judge(&fields[i], ours.data, ours.length) ==
              (ends ? TEL__EXISTING_OURS : TEL__EXISTING_TORN));
        check(judge(&fields[1 - i], ours.data, ours.length) == TEL__EXISTING_OTHER);
        tel_buffer_fini(&ours);
    }
    return 0;
}
