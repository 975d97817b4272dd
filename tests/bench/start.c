/*
 * Times a server from its fork to its first answer with status 200.
 *
 * Starts the program, asks every 50 microseconds until it answers, kills it, and prints the
 * milliseconds; as often as asked. In C because an interpreter's own start of a process takes about
 * as long as what is measured.
 *
 *     bench_start --rounds 20 --port 8080 --path /demo/hello -- glassbox --listen 127.0.0.1:8080
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_NS 5000000000LL
#define PAUSE_NS   50000

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Asks once. Whether the answer was 200. */
static bool ask(int port, const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct timeval limit = {.tv_sec = 1};
    char text[1024];
    bool good = false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        int length =
            snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

        good = send(fd, text, (size_t)length, MSG_NOSIGNAL) == length &&
               recv(fd, text, sizeof(text), 0) > 12 && memcmp(text + 9, "200", 3) == 0;
    }
    close(fd);
    return good;
}

static void become(char **program)
{
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execv(program[0], program);
    _exit(127);
}

/* Nanoseconds to the first 200, or -1. */
static int64_t measure(int port, const char *path, char **program)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int64_t start = now_ns();
    int64_t took = -1;
    pid_t pid = fork();

    if (pid == 0) {
        become(program);
    }
    while (pid > 0 && took < 0 && now_ns() - start < GIVE_UP_NS) {
        if (ask(port, path)) {
            took = now_ns() - start;
        } else {
            nanosleep(&pause, NULL);
        }
    }
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return took;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    int rounds = 20;
    int port = 0;
    const char *path = "/";

    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option == 'r') {
            rounds = atoi(optarg);
        } else if (option == 'p') {
            port = atoi(optarg);
        } else if (option == 'u') {
            path = optarg;
        }
    }
    if (port < 1 || port > 65535 || rounds < 1 || rounds > 1000 || optind >= argc) {
        fputs("usage: bench_start --port N [--rounds N] [--path /] -- PROGRAM [ARGUMENT…]\n",
              stderr);
        return 2;
    }
    for (int i = 0; i < rounds; i++) {
        int64_t took = measure(port, path, argv + optind);

        if (took < 0) {
            fprintf(stderr, "bench_start: %s gave no 200 in time\n", argv[optind]);
            return 1;
        }
        printf("%.3f\n", (double)took / 1e6);
    }
    return 0;
}
