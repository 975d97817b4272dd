#include "otlp/watch.h"

void tel__watch_add(struct tel__watch *watch, const char *path)
{
    if (path != NULL && path[0] != '\0' && watch->count < TEL__WATCH_MAX) {
        watch->paths[watch->count++] = path;
    }
}

void tel__watch_look(const struct tel__watch *watch, struct tel__stamps *stamps)
{
    for (size_t i = 0; i < watch->count; i++) {
        tel_stamp_look(&stamps->items[i], watch->paths[i]);
    }
}

bool tel__stamps_are_equal(const struct tel__watch *watch, const struct tel__stamps *a,
                           const struct tel__stamps *b)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (!tel_stamp_is_equal(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}
