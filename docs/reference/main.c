/*
 * reference PAGE: writes a page of docs/ to stdout.
 */
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX (1u << 20)

static const struct page {
    const char *name;
    int (*write)(struct tel_buffer *out);
} pages[] = {{"options", reference_options},
             {"variables", reference_variables},
             {"metrics", reference_metrics},
             {"contract", reference_contract}};

void reference_words(struct tel_buffer *out, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, "|");
        tel_buffer_append_format(out, "`%.*s`", (int)length, words);
        words += length;
        if (*words == '|') {
            tel_buffer_append_string(out, ", ");
            words++;
        }
    }
}

void reference_cell(struct tel_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            tel_buffer_append_char(out, '\\');
        }
        tel_buffer_append_char(out, *text);
    }
}

int main(int argc, char *argv[])
{
    for (size_t i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(pages[i].name, argv[1]) == 0) {
            struct tel_buffer out;
            tel_buffer_init(&out, PAGE_MAX);
            int error = pages[i].write(&out);
            if (error == 0 && out.error == 0) {
                fwrite(out.data, 1, out.length, stdout);
            }
            error = error != 0 ? error : out.error;
            tel_buffer_fini(&out);
            return error == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "usage: %s options|variables|metrics|contract\n", argv[0]);
    return EXIT_FAILURE;
}
