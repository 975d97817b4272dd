/*
 * Files that may be replaced under a running program: whether one was since the last look.
 *
 * How it works: a stamp is what stat(2) says of a file. A file written anew has another time, a
 * renamed one another inode, and a symlink that was turned leads to another file: so a mounted
 * secret, or a ConfigMap, is noticed too. No thread, no descriptor: whoever is about to use the file
 * looks.
 *
 * A write within the file system's coarse clock (some milliseconds) of the one before, in place and
 * of the same length, leaves the same stamp: who cannot live with that reads again what is younger.
 *
 *     struct tel_stamp now;
 *     tel_stamp_look(&now, path);
 *     if (!tel_stamp_is_equal(&now, &loaded)) { load(path); loaded = now; }
 *
 * Threads: the caller's structs. Failure: a file that is not there has a stamp too.
 */
#ifndef TELEMETRY_STAMP_H
#define TELEMETRY_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A file as it was at a look; links are followed. */
struct tel_stamp {
    bool there;   /* false: stat(2) failed, and the rest is zero */
    dev_t device; /* with the inode: which file it was */
    ino_t inode;  /* of the file that the path led to */
    off_t size;   /* in bytes */
    struct timespec
        modified; /* when its content last changed, as whoever wrote it may have set it */
    struct timespec changed; /* when anything of it did, by the kernel's clock */
};

/* Looks at `path` now. */
void tel_stamp_look(struct tel_stamp *stamp, const char *path);

/* Whether nothing of the file changed between two looks, as far as the kernel says. */
bool tel_stamp_is_equal(const struct tel_stamp *a, const struct tel_stamp *b);

#ifdef __cplusplus
}
#endif

#endif
