/*
 * Accept from arbitrary bytes: a quality is one, what nobody named is not wanted, and neither blanks,
 * empty elements nor the case of a name change the answer.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool mentions(struct http_slice header, const char *word)
{
    const size_t length = strlen(word);
    for (size_t at = 0; at + length <= header.length; at++) {
        if (strncasecmp(header.data + at, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static void check_header(struct http_slice header)
{
    const unsigned html = accept_media_quality(header, "text", "html");
    const unsigned json = accept_media_quality(header, "application", "json");
    check(html <= 1000 && json <= 1000);
    if (header.length > 0) {
        check(html == 0 || mentions(header, "text/html") || mentions(header, "*"));
        check(json == 0 || mentions(header, "application/json") || mentions(header, "*"));
    } else {
        check(html == 1000 && json == 1000);
    }
}

/* The header written in another way, `out` having room: upper case, a comma and blanks around. */
static struct http_slice rewrite(struct http_slice header, char *out)
{
    memcpy(out, ", ,\t", 4);
    for (size_t i = 0; i < header.length; i++) {
        out[4 + i] = (char)toupper((unsigned char)header.data[i]);
    }
    memcpy(out + 4 + header.length, " ,", 2);
    return (struct http_slice){out, header.length + 6};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const subtypes[] = {"html", "plain", "*"};
    char *copy = malloc(size > 0 ? size : 1);
    char *other = malloc(size + 6);
    check(copy != NULL && other != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    const struct http_slice header = {copy, size};
    const struct http_slice written = rewrite(header, other);
    check_header(header);
    for (size_t i = 0; size > 0 && i < sizeof(subtypes) / sizeof(subtypes[0]); i++) {
        check(accept_media_quality(header, "text", subtypes[i]) ==
              accept_media_quality(written, "text", subtypes[i]));
    }
    free(other);
    free(copy);
    return 0;
}
