# Fuzz targets: every fuzz_*.c of a folder is a program for libFuzzer, so adding one is adding a
# file. Only the preset `fuzz` (clang) builds them; `.ci/fuzz.sh SECONDS` runs each one. Seeds lie
# in corpus/<fuzz_name>/ beside the sources, where there are any.
include_guard(GLOBAL)
option(TELEMETRY_FUZZ "Build the fuzz targets (needs clang)" OFF)

# add_fuzz_targets(INCLUDE_DIRECTORY LIBRARY...): one program for each fuzz_*.c here. They are part
# of the target `fuzz-targets`.
function(add_fuzz_targets include_directory)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_*.c)
  if(NOT TARGET fuzz-targets)
    add_custom_target(fuzz-targets)
  endif()
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE ${include_directory})
    # libFuzzer calls functions by name, without a prototype of ours.
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE ${ARGN})
    set_target_properties(${name} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
    add_dependencies(fuzz-targets ${name})
  endforeach()
endfunction()
