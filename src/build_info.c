/*
 * The version and revision come from the build (CMakeLists.txt); nothing here depends on the time
 * or place of the build, so that the same commit gives the same binary.
 */
#include "build_info.h"

#include <llhttp.h>

#define TEXT(x)  #x
#define VALUE(x) TEXT(x)

const struct build_info build_info = {
    .name = "glassbox",
    .version = GLASSBOX_VERSION,
    .revision = GLASSBOX_REVISION,
    .compiler = __VERSION__,
    .llhttp =
        VALUE(LLHTTP_VERSION_MAJOR) "." VALUE(LLHTTP_VERSION_MINOR) "." VALUE(LLHTTP_VERSION_PATCH),
};
