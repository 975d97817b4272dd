#include "faults/fault_thread.h"

#include <string.h>

#include "diagnostics.h"
#include "thread.h"

int fault_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    int error = thread_start(thread, run, argument);
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "faults", "cannot start a thread for a fault",
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    }
    return error;
}
