/*
 * A listener: a bound socket on the main loop that accepts without ever spinning.
 *
 * How it works: each wake accepts a bounded number of connections. When descriptors or memory run
 * out, accept(2) keeps failing while the socket stays readable, which would burn a core; the
 * listener then pauses for LISTENER_PAUSE_MS. A descriptor held in reserve is given up for a moment
 * to answer one connection with 503 instead of leaving it hanging.
 *
 * Threads: the main thread.
 */
#ifndef GLASSBOX_LISTENER_H
#define GLASSBOX_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "address.h"
#include "inbox.h"
#include "instruments.h"

#define LISTENER_PAUSE_MS 100 /* without descriptors or memory */
#define LISTENER_ROOM_MS  1   /* while the owner has no room */

/* What the kernel takes of a response beyond what the client's window lets it send; more waits with
 * us, where it is counted. Left alone it takes 2.4 MiB for a client that reads nothing. */
#define LISTENER_UNSENT_BYTES (64 * 1024)

struct event;
struct event_base;
struct listener;

/* What a listener asks and tells its owner. */
struct listener_calls {
    /* Whether there is room for one more; if not, it stays with the kernel for a moment. */
    bool (*has_room)(struct listener *listener, void *argument);
    /* A connection; `fd` is the callee's. */
    void (*accepted)(struct listener *listener, const struct arrival *arrival, void *argument);
    /* accept(2) failed with `error` and accepting pauses; `answered`: one client was told 503. */
    void (*failed)(struct listener *listener, enum accept_error reason, int error, bool answered,
                   void *argument);
    void *argument;
};

struct listener {
    enum listener_label label;
    int fd; /* -1 once closed */
    int reserve_fd;
    struct address bound; /* with the port that the kernel chose */
    struct event *readable;
    struct event *resume; /* timer that ends a pause */
    struct listener_calls calls;
};

/* Binds and listens, but accepts nothing yet: clients wait with the kernel. Returns 0 or a negative
 * errno (-EADDRINUSE, -EACCES, …). */
int listener_open(struct listener *listener, const struct address *address,
                  enum listener_label label, struct event_base *base,
                  const struct listener_calls *calls);

/* Begins to accept. Returns 0 or a negative errno. */
int listener_start(struct listener *listener);

/* From now on no connection is begun: the socket is bound to an interface that is not there, so no SYN
 * finds it, and whoever comes now is refused. Handshakes that are under way still end, and what they bring
 * is accepted. Without it a client that connects between the last accept and the close believes that he
 * is connected, and is reset. Before Linux 5.1 nothing changes. */
void listener_turn_away(struct listener *listener);

/* Accepts all that the kernel has queued. Where the owner has no room, waits for it, blocking: half a
 * second at most. */
void listener_accept_last(struct listener *listener);

/* Stops accepting; what the kernel has queued is reset. Twice is fine. */
void listener_close(struct listener *listener);

#endif
