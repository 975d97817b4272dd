/*
 * Requests from arbitrary bytes: whatever they are and however they are cut, what engine.h says of a
 * run holds, and the same bytes in other pieces get the same answers.
 *
 * The first byte says how the second run is cut: byte by byte, or in pieces of that many.
 */
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run whole;
    static struct run cut;
    if (size < 2 || size > 8192) {
        return 0;
    }
    const char *bytes = (const char *)data + 1;
    feed(&whole, bytes, size - 1, size);
    feed(&cut, bytes, size - 1, data[0] > 0 ? data[0] : 1);
    check_same(&whole, &cut);
    forget(&whole);
    forget(&cut);
    return 0;
}
