# Files that the program carries: each becomes a C source with its bytes.
#
# embed_file(SYMBOL FILE OUTPUT): a command that writes OUTPUT, a source with
# `const unsigned char SYMBOL[]` and `const size_t SYMBOL_bytes`; a NUL that does not count follows the
# bytes. It runs again when FILE changes. The target that compiles it belongs to the same folder.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${FILE}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" lines "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," lines "${lines}")
  file(WRITE "${OUTPUT}" "#include <stddef.h>
extern const unsigned char ${SYMBOL}[];
extern const size_t ${SYMBOL}_bytes;
const unsigned char ${SYMBOL}[] = {
${lines}0};
const size_t ${SYMBOL}_bytes = sizeof(${SYMBOL}) - 1;
")
  return()
endif()

set(EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(embed_file symbol file output)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DFILE=${file} -DOUTPUT=${output} -P ${EMBED_SCRIPT}
    DEPENDS ${file} ${EMBED_SCRIPT}
    VERBATIM)
endfunction()
