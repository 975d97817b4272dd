/*
 * What was built: the fields of /version, glassbox_build_info and --version.
 */
#ifndef GLASSBOX_BUILD_INFO_H
#define GLASSBOX_BUILD_INFO_H

struct build_info {
    const char *name;
    const char *version;  /* SemVer */
    const char *revision; /* git commit, or "unknown" */
    const char *compiler;
    const char *llhttp;
};
extern const struct build_info build_info;

#endif
