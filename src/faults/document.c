/*
 * The block is handed out from its front and never taken back before the end: a parser frees little
 * of what it takes, and the block is sized for that. Which thread parses from which block is said by a
 * variable of the thread, as jansson's allocator has no argument of ours.
 */
#include "faults/document.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faults/text.h"

#define ALIGNMENT 16

/* `{},` takes 85 bytes a byte, more than anything else: no short document runs out of memory. */
#define MEMORY_BASE     4096
#define MEMORY_PER_BYTE 128

struct arena {
    char *at;
    size_t left;
    jmp_buf full;
};

static _Thread_local struct arena *current;

static void *arena_take(size_t size)
{
    struct arena *arena = current;
    if (arena == NULL) {
        return malloc(size);
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > arena->left) {
        longjmp(arena->full, 1);
    }
    void *block = arena->at;
    arena->at += size;
    arena->left -= size;
    return block;
}

static void arena_give_back(void *block)
{
    if (current == NULL) {
        free(block);
    }
}

static void set_allocator(void)
{
    json_set_alloc_funcs(arena_take, arena_give_back);
}

/* Parses out of the arena's memory. NULL with `*is_full`: it was not enough. */
static const json_t *load(struct arena *arena, const char *json, size_t length, json_error_t *error,
                          bool *is_full)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_allocator);
    *is_full = false;
    current = arena;
    if (setjmp(arena->full) != 0) {
        current = NULL;
        *is_full = true;
        return NULL;
    }
    const json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
    current = NULL;
    return root;
}

/* What is JSON, but more than can be taken; the words, where jansson's own are no good. */
static const struct {
    enum json_error_code code;
    const char *words;
} excesses[] = {
    {json_error_duplicate_key, NULL},
    {json_error_numeric_overflow, NULL},
    {json_error_stack_overflow, "nested too deeply"},
    {json_error_null_character, "\\u0000 is not allowed"},
    {json_error_null_byte_in_key, "\\u0000 is not allowed"},
};

static int refuse(const json_error_t *error, struct tel_buffer *problem)
{
    const char *words = error->text;
    int result = -EBADMSG;
    for (size_t i = 0; i < sizeof(excesses) / sizeof(excesses[0]); i++) {
        if (json_error_code(error) == excesses[i].code) {
            words = excesses[i].words != NULL ? excesses[i].words : words;
            result = -EINVAL;
        }
    }
    tel_buffer_append_format(problem, "line %d, column %d: %s", error->line, error->column,
                             result == -EBADMSG ? "not JSON: " : "");
    text_append_plain(problem, words, strlen(words));
    return result;
}

/* What can be said before it is parsed. */
static int check_bytes(const char *json, size_t length, size_t length_max,
                       struct tel_buffer *problem)
{
    if (length == 0) {
        tel_buffer_append_string(problem, "not JSON: the document is empty");
        return -EBADMSG;
    }
    const char *nul = memchr(json, '\0', length);
    if (length > length_max) {
        tel_buffer_append_format(problem, "the document has %zu bytes: %zu are allowed", length,
                                 length_max);
        return -EINVAL;
    }
    if (nul != NULL) {
        tel_buffer_append_format(problem, "not JSON: byte %zu is a NUL", (size_t)(nul - json) + 1);
        return -EBADMSG;
    }
    return 0;
}

static size_t memory_bytes(size_t length)
{
    const size_t bytes = MEMORY_BASE + length * MEMORY_PER_BYTE;
    return bytes < DOCUMENT_MEMORY_BYTES ? bytes : DOCUMENT_MEMORY_BYTES;
}

int document_open(struct document *document, const char *json, size_t length, size_t length_max,
                  struct tel_buffer *problem)
{
    json_error_t error;
    bool is_full;
    int result = check_bytes(json, length, length_max, problem);
    if (result != 0) {
        return result;
    }
    const size_t bytes = memory_bytes(length);
    struct arena arena = {.at = malloc(bytes), .left = bytes};
    document->memory = arena.at;
    if (document->memory == NULL) {
        return -ENOMEM;
    }
    document->root = load(&arena, json, length, &error, &is_full);
    if (document->root != NULL) {
        return 0;
    }
    if (is_full) {
        tel_buffer_append_string(problem, "the document has more parts than there is room for");
        result = -EINVAL;
    } else {
        result = refuse(&error, problem);
    }
    document_close(document);
    return result;
}

void document_close(struct document *document)
{
    free(document->memory);
    *document = (struct document){NULL, NULL};
}
