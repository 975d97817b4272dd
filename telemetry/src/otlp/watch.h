/*
 * Files that may be replaced under a running program: whether one was since the last look.
 *
 * How it works: a stamp a file, of what stat(2) says of it. A file written anew has another time, a
 * renamed one another inode, and a symlink that was turned leads to another file: so a mounted
 * secret is noticed too. No thread, no descriptor: whoever is about to use the files looks.
 *
 * Threads: the caller's structs. Failure: a file that is not there has a stamp too.
 */
#ifndef TEL_OTLP_WATCH_H
#define TEL_OTLP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#define TEL__WATCH_MAX 12 /* files */

struct tel__watch {
    size_t count;
    const char *paths[TEL__WATCH_MAX]; /* borrowed */
};

struct tel__stamps {
    struct {
        bool there;
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec modified;
        struct timespec changed;
    } items[TEL__WATCH_MAX];
};

/* Adds a file; NULL and "" are left out, and so is what finds no room. */
void tel__watch_add(struct tel__watch *watch, const char *path);

void tel__watch_look(const struct tel__watch *watch, struct tel__stamps *stamps);
bool tel__stamps_are_equal(const struct tel__watch *watch, const struct tel__stamps *a,
                           const struct tel__stamps *b);

#endif
