# What every target of the project, and of the library alone, is built with. Sanitizers, coverage
# and optimisation are the presets' business (CMakePresets.json).
include_guard(GLOBAL)
include(CTest)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
                    -Wno-sign-conversion -Wvla)
# libevent_openssl's pkg-config file names libevent, the sum of the libraries that are linked anyway.
add_link_options(-Wl,--as-needed)
# Fortified functions need an optimiser, and would hide what AddressSanitizer intercepts.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_compile_options(-fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
