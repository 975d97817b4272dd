/*
 * What the wrappers share: who is refused, and what was taken.
 */
#ifndef TEL_TESTS_FAULTS_INTERNAL_H
#define TEL_TESTS_FAULTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* Of a wrapper: who called it. */
#define TAKER __builtin_return_address(0)

/* Counts a call of this kind; whether it is the one to be refused. */
bool faults__refuses(unsigned kind, const void *taker);
/* The same, and errno is ENOMEM if so. */
bool faults__refuses_memory(unsigned kind, const void *taker);

/* A block that this turn took, returned as it is; NULL is fine. And one that was given back. */
void *faults__took(void *address, size_t size, const void *taker);
void faults__gave_back(const void *address);

/* realloc(3) as a call of this kind. */
void *faults__resize(void *old, size_t size, unsigned kind, const void *taker);

/* Above 0 the calls of this thread are parts of one that was counted already. */
extern _Thread_local unsigned faults__nested;

bool faults__is_spared(void);

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);

#endif
