/*
 * Memory that the code under test takes. To add a function: its wrapper here, its name in
 * CMakeLists.txt.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include "faults.h"
#include "internal.h"

void *__wrap_malloc(size_t size)
{
    return faults__refuses_memory(FAULTS_MEMORY, TAKER)
               ? NULL
               : faults__took(__real_malloc(size), size, TAKER);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return faults__refuses_memory(FAULTS_MEMORY, TAKER)
               ? NULL
               : faults__took(__real_calloc(count, size), count * size, TAKER);
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return faults__refuses_memory(FAULTS_MEMORY, TAKER)
               ? NULL
               : faults__took(__real_aligned_alloc(alignment, size), size, TAKER);
}

void *faults__resize(void *old, size_t size, unsigned kind, const void *taker)
{
    if (faults__refuses_memory(kind, taker)) {
        return NULL;
    }
    faults__gave_back(old); /* first: others may be given the address as soon as it is free */
    return faults__took(__real_realloc(old, size), size, taker);
}

void *__wrap_realloc(void *old, size_t size)
{
    return faults__resize(old, size, FAULTS_GROWTH, TAKER);
}

void __wrap_free(void *block)
{
    faults__gave_back(block);
    __real_free(block);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return faults__refuses_memory(FAULTS_MEMORY, TAKER)
               ? NULL
               : faults__took(__real_strdup(text), strlen(text) + 1, TAKER);
}

char *__real_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length)
{
    return faults__refuses_memory(FAULTS_MEMORY, TAKER)
               ? NULL
               : faults__took(__real_strndup(text, length), length + 1, TAKER);
}

int __real_vasprintf(char **out, const char *format, va_list arguments);
static int print(char **out, const char *format, va_list arguments, const void *taker)
{
    if (faults__refuses_memory(FAULTS_MEMORY, taker)) {
        return -1;
    }
    int length = __real_vasprintf(out, format, arguments);
    if (length >= 0) {
        faults__took(*out, (size_t)length + 1, taker);
    }
    return length;
}
int __wrap_vasprintf(char **out, const char *format, va_list arguments)
{
    return print(out, format, arguments, TAKER);
}
int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = print(out, format, arguments, TAKER);
    va_end(arguments);
    return length;
}

void *__real_mmap(void *where, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *where, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (faults__refuses_memory(FAULTS_MEMORY, TAKER)) {
        return MAP_FAILED;
    }
    void *block = __real_mmap(where, size, protection, flags, fd, offset);
    return block == MAP_FAILED ? block : faults__took(block, size, TAKER);
}

int __real_munmap(void *block, size_t size);
int __wrap_munmap(void *block, size_t size)
{
    faults__gave_back(block);
    return __real_munmap(block, size);
}

int __real_deflateInit2_(z_streamp stream, int level, int method, int window, int memory,
                         int strategy, const char *version, int size);
int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window, int memory,
                         int strategy, const char *version, int size)
{
    return faults__refuses(FAULTS_MEMORY, TAKER)
               ? Z_MEM_ERROR
               : __real_deflateInit2_(stream, level, method, window, memory, strategy, version,
                                      size);
}
