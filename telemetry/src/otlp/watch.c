#include "otlp/watch.h"

void tel__watch_add(struct tel__watch *watch, const char *path)
{
    if (path != NULL && path[0] != '\0' && watch->count < TEL__WATCH_MAX) {
        watch->paths[watch->count++] = path;
    }
}

void tel__watch_look(const struct tel__watch *watch, struct tel__stamps *stamps)
{
    *stamps = (struct tel__stamps){0};
    for (size_t i = 0; i < watch->count; i++) {
        struct stat status;
        if (stat(watch->paths[i], &status) == 0) {
            stamps->items[i].there = true;
            stamps->items[i].device = status.st_dev;
            stamps->items[i].inode = status.st_ino;
            stamps->items[i].size = status.st_size;
            stamps->items[i].modified = status.st_mtim;
            stamps->items[i].changed = status.st_ctim;
        }
    }
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool tel__stamps_are_equal(const struct tel__watch *watch, const struct tel__stamps *a,
                           const struct tel__stamps *b)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (a->items[i].there != b->items[i].there || a->items[i].device != b->items[i].device ||
            a->items[i].inode != b->items[i].inode || a->items[i].size != b->items[i].size ||
            !is_same_time(&a->items[i].modified, &b->items[i].modified) ||
            !is_same_time(&a->items[i].changed, &b->items[i].changed)) {
            return false;
        }
    }
    return true;
}
