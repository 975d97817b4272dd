/*
 * A stamp is compared member by member: what lies between the members of a struct is nobody's.
 */
#include "telemetry/stamp.h"

void tel_stamp_look(struct tel_stamp *stamp, const char *path)
{
    struct stat status;
    *stamp = (struct tel_stamp){.there = false};
    if (stat(path, &status) == 0) {
        *stamp = (struct tel_stamp){.there = true,
                                    .device = status.st_dev,
                                    .inode = status.st_ino,
                                    .size = status.st_size,
                                    .modified = status.st_mtim,
                                    .changed = status.st_ctim};
    }
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool tel_stamp_is_equal(const struct tel_stamp *a, const struct tel_stamp *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && is_same_time(&a->modified, &b->modified) &&
           is_same_time(&a->changed, &b->changed);
}
