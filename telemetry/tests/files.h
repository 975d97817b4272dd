/*
 * Files that tests write.
 */
#ifndef TEL_TESTS_FILES_H
#define TEL_TESTS_FILES_H

#include <stdio.h>

/* Makes the file anew, with this text. After <cmocka.h>. */
static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

#endif
