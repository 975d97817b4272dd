/*
 * The shim: a shared object before the C library (LD_PRELOAD) that refuses, cuts short, interrupts,
 * and turns back clocks, as a test orders while the program runs.
 *
 *     test ──orders──> control (a mapped file) <──looks, counts── wrappers ──> C library
 *
 * To add a function: a wrapper in the file of its kind. A function that _FORTIFY_SOURCE gives
 * another name (__read_chk) is one more wrapper.
 */
#include "shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct control nothing;
struct control *shim_control = &nothing;

/* The program's own code, as opposed to its libraries'. */
static uintptr_t program_base, program_start, program_end;

static int note_program(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    (void)argument;
    program_base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            program_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            program_end = program_start + info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1; /* it is the first of all objects */
}

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv(CONTROL_VARIABLE);
    dl_iterate_phdr(note_program, NULL);
    if (path == NULL) {
        return;
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped =
        fd < 0 ? MAP_FAILED
               : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED || ((struct control *)mapped)->size != sizeof(struct control)) {
        fprintf(stderr, "%s: not a control file\n", path);
        _exit(125);
    }
    close(fd);
    shim_control = mapped;
}

static bool is_due(const struct refusals *refusals, uint64_t call)
{
    uint64_t at = refusals->at;
    uint64_t every = refusals->every;
    return (at != 0 && (call == at || (call > at && refusals->lasting != 0))) ||
           (every != 0 && call % every == 0);
}

bool shim_refuses(enum refused_kind kind, const void *caller)
{
    struct refusals *refusals = &shim_control->refusals[kind];
    uintptr_t address = (uintptr_t)caller;
    bool ours = address >= program_start && address < program_end;
    if (kind == REFUSE_MEMORY && shim_control->ours_only != 0 && !ours) {
        return false;
    }
    if (!is_due(refusals, ++refusals->calls)) {
        return false;
    }
    refusals->refused++;
    refusals->where = ours ? address - program_base : address;
    return true;
}

uint64_t shim_draw(void)
{
    static _Atomic uint64_t drawn;
    uint64_t value = shim_control->seed + 0x9e3779b97f4a7c15u * ++drawn; /* splitmix64 */
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

void *shim_next(void **cache, const char *name)
{
    void *found = __atomic_load_n(cache, __ATOMIC_RELAXED);
    if (found == NULL) {
        found = dlsym(RTLD_NEXT, name);
        __atomic_store_n(cache, found, __ATOMIC_RELAXED);
    }
    return found;
}
