/*
 * Looking at a file needs a descriptor that reads, while the log's own only appends: so the file is
 * opened a second time and must still be the same one. Renaming uses RENAME_NOREPLACE, or a hard
 * link where the file system lacks it; both fail rather than overwrite.
 */
#include "access_log/existing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "access_log/directives.h"
#include "telemetry/clock.h"

#define HEAD_BYTES    16384 /* where the first #Fields must be found; ours ends well before */
#define NAMES_MAX     1000  /* names tried for one second */
#define SUFFIX_FORMAT ".%Y%m%dT%H%M%SZ"

_Static_assert(HEAD_BYTES > 2 * TEL__DIRECTIVES_MAX, "our own directives must be found again");

/* The judgement on an open, non-empty file. */
static int judge(int fd, off_t size, const struct tel__fields *fields)
{
    char head[HEAD_BYTES];
    char last;
    ssize_t length = pread(fd, head, sizeof(head), 0);
    if (length < 0 || pread(fd, &last, 1, size - 1) < 0) {
        return -errno;
    }
    if (!tel__directives_match(fields, head, (size_t)length)) {
        return TEL__EXISTING_OTHER;
    }
    return last == '\n' ? TEL__EXISTING_OURS : TEL__EXISTING_TORN;
}

int tel__existing_judge(const char *path, const struct stat *opened,
                        const struct tel__fields *fields)
{
    if (opened->st_size == 0) {
        return TEL__EXISTING_EMPTY;
    }
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? -EAGAIN : -errno;
    }
    struct stat now;
    int result;
    if (fstat(fd, &now) != 0) {
        result = -errno;
    } else if (now.st_dev != opened->st_dev || now.st_ino != opened->st_ino) {
        result = -EAGAIN;
    } else {
        result = judge(fd, opened->st_size, fields);
    }
    close(fd);
    return result;
}

/* rename(2) that never overwrites. Returns 0 or a negative errno. */
static int rename_to_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -errno;
    }
    return link(from, to) == 0 && unlink(from) == 0 ? 0 : -errno;
}

int tel__existing_set_aside(const char *path, uint64_t wall_ns, char renamed[PATH_MAX])
{
    char real[PATH_MAX];
    if (realpath(path, real) == NULL) {
        return -errno;
    }
    time_t when = (time_t)(wall_ns / TEL_NS_PER_SECOND);
    struct tm utc;
    char suffix[32];
    gmtime_r(&when, &utc);
    strftime(suffix, sizeof(suffix), SUFFIX_FORMAT, &utc);
    for (int number = 0; number < NAMES_MAX; number++) {
        char counter[16] = "";
        if (number > 0) {
            snprintf(counter, sizeof(counter), ".%d", number);
        }
        if (snprintf(renamed, PATH_MAX, "%s%s%s", real, suffix, counter) >= PATH_MAX) {
            return -ENAMETOOLONG;
        }
        int error = rename_to_new(real, renamed);
        if (error != -EEXIST) {
            return error;
        }
    }
    return -EEXIST;
}
