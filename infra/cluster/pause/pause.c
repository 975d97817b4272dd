/* What holds a pod's namespaces open while its containers come and go. Where the containers share a
 * process namespace it is process 1 of that, so children that it never had end as zombies unless it
 * says that nobody will ask for them. */
#include <signal.h>
#include <unistd.h>

static void leave(int number)
{
    (void)number;
    _exit(0);
}

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, leave);
    signal(SIGTERM, leave);
    for (;;) {
        pause();
    }
}
