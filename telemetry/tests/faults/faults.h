/*
 * Resources that cannot be had when a test says so.
 *
 * What it is for: a scenario is run with the first thing it asks the system for refused, then the
 * second, and so on until it runs to its end with nothing refused. Each time it must end in a clear
 * error, and leave nothing behind.
 *
 *     struct faults faults = {.kinds = FAULTS_OURS};
 *     while (faults_next(&faults)) {
 *         struct tel_tracer *tracer = tel_tracer_create(&options);
 *         assert_true((tracer == NULL) == faults_struck());
 *         tel_tracer_destroy(tracer);
 *     }
 *     assert_true(faults.turns > 3);
 *
 * How it works: a program that links `tel_faults` has its calls of malloc(3), eventfd(2),
 * pthread_create(3) and their like wrapped at link time (CMakeLists.txt has the list), libevent's
 * memory goes through event_set_mem_functions(), OpenSSL's through CRYPTO_set_mem_functions(). All
 * are counted by one counter; the call whose turn it is answers ENOMEM, EMFILE or EAGAIN. What
 * memory was taken in a turn and is there at its end is told with the address that took it
 * (addr2line -e PROGRAM ADDRESS); open descriptors are counted in /proc.
 *
 * Threads: the calls of all threads count, except of those that asked to be spared: a server that a
 * test brings along, say. faults_next() and faults_stop() belong to one thread.
 * Limits: what the C library takes for itself (fopen, getaddrinfo) is not seen; the whole program
 * under a preloaded library is, see tests/faults of the service.
 */
#ifndef TEL_TESTS_FAULTS_H
#define TEL_TESTS_FAULTS_H

#include <stdbool.h>

enum faults_kind {
    FAULTS_MEMORY = 1,      /* the code under test: malloc and its like, mmap, zlib's streams */
    FAULTS_GROWTH = 2,      /* the code under test: realloc */
    FAULTS_DESCRIPTORS = 4, /* eventfd, timerfd_create, socket, accept4, open */
    FAULTS_THREADS = 8,
    FAULTS_LIBEVENT = 16, /* memory that libevent takes */
    FAULTS_OPENSSL = 32,  /* memory that OpenSSL takes; what it keeps is not watched */
    FAULTS_ENTROPY = 64,  /* getrandom */
};
#define FAULTS_OURS (FAULTS_MEMORY | FAULTS_GROWTH | FAULTS_DESCRIPTORS | FAULTS_THREADS)

struct faults {
    unsigned kinds; /* bits of enum faults_kind; 0: all but OpenSSL's */
    bool lasting;   /* from the first refusal on everything is refused, until faults_stop() */
    unsigned
        stride;   /* calls from one turn's to the next one's, for scenarios that take long; 0: 1 */
    bool keeps;   /* what is made in a turn may stay: a server's, which goes on after it */
    bool crowded; /* other threads open and close descriptors: those are not compared */
    unsigned long turns; /* which call is refused, counted from 1 */
    unsigned open;       /* descriptors when the turn began */
};

/* Ends a turn and begins the next. False, when in the turn before nothing had to be refused: then
 * all is done. Fails the test when the turn left memory or descriptors behind. */
bool faults_next(struct faults *faults);

/* Refuses and counts nothing until faults_resume(), or the next turn: for what a scenario needs and
 * what it looks at afterwards. Threads that go on meanwhile are not refused either. */
void faults_stop(void);
void faults_resume(void);

/* Without turns: refuses all calls of these kinds until faults_stop(). */
void faults_refuse(unsigned kinds);

/* Whether something was refused in this turn, and where it was asked for: a return address, or NULL.
 */
bool faults_struck(void);
const void *faults_where(void);

/* Calls of this thread do not count, are not refused, and not watched, until unspared; nor are those
 * of threads that it starts meanwhile. */
void faults_spare_thread(bool spared);

#endif
