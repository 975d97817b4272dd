/*
 * The version and revision come from the build (CMakeLists.txt); nothing here depends on the time
 * or place of the build, so that the same commit gives the same binary.
 */
#include "build_info.h"

#include <llhttp.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

const struct build_info build_info = {
    .name = "glassbox",
    .version = GLASSBOX_VERSION,
    .revision = GLASSBOX_REVISION,
    .compiler = COMPILER,
    .llhttp =
        VALUE(LLHTTP_VERSION_MAJOR) "." VALUE(LLHTTP_VERSION_MINOR) "." VALUE(LLHTTP_VERSION_PATCH),
};
