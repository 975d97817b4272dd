/*
 * What the engine's own files share: the three structs behind http.h and who does what with them.
 *
 *     engine.c      one thread's connections: create, adopt, drain, sweep, destroy
 *     connection.c  a socket: its events, the bytes that come in, the turns for parsing them
 *     ending.c      the ways a connection ends
 *     states.c      what bytes, ends and deadlines do: a row a state
 *     exchange.c    a request's life: begin, open, handle or refuse, close
 *     stream.c      a response in pieces, for as long as its client stays
 *     parse.c       bytes -> request, through llhttp
 *     body.c        bytes -> content
 *     policy.c      what RFC 9112 asks beyond llhttp
 *     request.c     names of methods and headers
 *     response.c    response -> bytes
 *     send.c        bytes -> socket, now or when it is writable
 *
 * Calls go downwards in this list, and from there back to connection.c and ending.c through the
 * functions named connection_…: nothing else.
 */
#ifndef GLASSBOX_HTTP_INTERNAL_H
#define GLASSBOX_HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <llhttp.h>
#include <netinet/in.h>
#include <stdatomic.h>

#include "http/http.h"
#include "http/lines.h"
#include "http/pool.h"
#include "http/slabs.h"
#include "http/timeouts.h"

/* Bounds that are no options. */
#define HTTP_RECEIVE_BYTES  65536u    /* one recv, and what a connection may hold unparsed */
#define HTTP_TURN_REQUESTS  32u       /* of one connection before the others get their turn */
#define HTTP_LINGER_BYTES   1048576u  /* read and thrown away after a half-close */
#define HTTP_CHUNK_EXCESS   4096u     /* chunk extensions and padding of one body */
#define HTTP_COPY_BYTES     4096u     /* a body up to this goes out in one piece with its head */
#define HTTP_RETAINED_BYTES 16384u    /* a larger buffer is not kept with a pooled exchange */
#define HTTP_HEAD_SLACK     16u       /* after a head, so that names are compared by words */
#define HTTP_DATE_LENGTH    37u       /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
#define HTTP_OUT_BYTES_MAX  1048576u  /* a response head */
#define HTTP_UNSENT_BYTES   33554432u /* of all responses that wait for slow readers, an engine */

enum connection_state {
    STATE_IDLE,  /* no byte of a request */
    STATE_GRACE, /* no byte yet, on a draining engine: a new client's request may be on its way */
    STATE_BLANK, /* empty lines before a request line */
    STATE_HEAD,
    STATE_BODY,
    STATE_HANDLING,  /* the service has the exchange */
    STATE_STREAMING, /* the same, and it sends its response in pieces */
    STATE_SENDING,   /* the socket took only part of the response */
    STATE_LINGERING, /* half-closed; what still comes is thrown away */
    STATE_GONE,      /* the socket is closed, the service still has the exchange */
    STATE_CLOSED,
    STATES
};

enum reading { READING_OFF, READING_CLOSE /* only whether it closes */, READING_ON };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct http_connection {
    struct event event; /* of the socket; for writing the exchange has its own */
    struct timeout timeout;
    struct http_engine *engine;
    struct exchange *exchange;            /* or NULL */
    struct http_connection *next, **link; /* of the engine's connections */
    struct http_connection *ready_next;
    char *held;     /* received, not parsed: HTTP_RECEIVE_BYTES, or NULL */
    size_t held_at; /* the first byte that waits */
    size_t held_end;
    size_t behind;         /* bytes that follow the request being handled, in this turn */
    uint64_t clock_ns;     /* the last reading of the clock for this connection */
    uint64_t served;       /* exchanges ended */
    uint64_t timed_served; /* `served` and `state` when the deadline was set */
    size_t leading;        /* bytes of empty lines before the request */
    size_t lingered;
    int fd; /* -1: closed */
    uint8_t state;
    uint8_t timed_state;
    uint8_t reading;
    uint8_t busy;  /* depth of connection_enter() */
    bool eof;      /* the client sends no more */
    bool ready;    /* in the engine's list of those with bytes to parse */
    bool carriage; /* a CR of an empty line waits for its LF */
    bool local_known;
    union address peer;
    union address local;
};

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED };
enum chunk_phase { CHUNK_LINE, CHUNK_DATA, CHUNK_TRAILERS, CHUNK_DONE };

struct exchange {
    struct http_exchange shared; /* what the service sees; first */

    /* Cleared at begin, from here … */
    struct lines lines;
    size_t head_length; /* bytes in `head` */
    size_t chunk_line;  /* bytes of the current chunk's first line */
    size_t chunk_excess;
    size_t trailer_bytes;
    size_t trailer_count;
    uint64_t content_bytes;   /* of the body, without framing */
    uint64_t remaining;       /* of a body of known length */
    enum http_error deferred; /* found in the request line, told when the head is complete */
    enum http_error raised;   /* by a callback of the parser */
    uint8_t framing;
    uint8_t phase;
    bool line_judged;
    bool head_judged;
    bool unparsed;   /* llhttp gave up on the request line: only lines are looked for */
    bool keep_alive; /* the client's wish */
    bool expects_continue;
    bool opened;
    bool handled;
    bool untold;         /* abandoned, which the service is told in the loop's next turn */
    bool writing;        /* write_event is armed */
    bool spare;          /* the engine's exchange for when memory is out */
    size_t interim_left; /* bytes at the front of `out` that are no part of the response */
    size_t out_sent;
    size_t kept; /* bytes in `out` that the engine counts as unsent */
    struct exchange *unsent_next, **unsent_link; /* of those that wait to write; while `writing` */
    /* … to here. */

    llhttp_t parser;
    struct event write_event;
    struct tel_buffer out; /* what the socket did not take at once */
    char refusal[192];     /* body of the engine's own responses */
    char *head;            /* the request's head as it came: limits.head_bytes + HTTP_HEAD_SLACK */
    struct http_field fields[]; /* limits.header_count + 1, then `head` */
};

struct http_engine {
    struct event_base *base;
    const struct http_limits *limits;
    const struct http_service *service;
    uint64_t now_ns; /* the latest reading of the clock */
    uint64_t date_until_ns;
    char date[HTTP_DATE_LENGTH];
    bool leaving;          /* each answer is its connection's last */
    bool draining;         /* and what is at rest is closed; implies leaving */
    bool ending;           /* http_engine_destroy() is under way: there is no next turn */
    struct tel_buffer out; /* where a response head is put together */
    char *scratch;         /* where bytes are received: HTTP_RECEIVE_BYTES */
    struct http_connection *connections;
    struct http_connection *ready, **ready_tail;
    struct exchange *unsent_first, **unsent_tail; /* who has waited longest comes first */
    size_t unsent;                                /* bytes they keep */
    struct slabs connection_slabs;
    struct pool exchange_pool;
    struct pool held_pool;
    struct exchange *spare; /* NULL while in use */
    struct event *sweep;    /* every tick, while there is a connection or a pool to trim */
    struct event *resume;   /* for `ready`, in the loop's next turn */
    _Atomic uint64_t connection_count, exchange_count, closed;
    _Atomic uint64_t idle_closed, without_request, drained, lost;
    struct timeouts timeouts;
};

/* A count that one thread writes and any may read. */
static inline void count_add(_Atomic uint64_t *count, uint64_t change)
{
    const uint64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + change, memory_order_release);
}

/* What became of bytes for the socket. */
enum send_status {
    SEND_DONE,
    SEND_LATER,
    SEND_FAILED,    /* the connection is broken */
    SEND_EXHAUSTED, /* there is no memory for what the socket did not take */
};

/* The engine's view of what the service sees. */
static inline struct exchange *exchange_of(struct http_exchange *shared)
{
    return (struct exchange *)shared;
}

/* ---- engine.c ------------------------------------------------------------------------------ */

/* Puts the connection, which is not there, into the list of those that have the next turn: held bytes
 * are parsed, or the service is told. */
void engine_defer(struct http_connection *connection);
/* Takes a closed connection back. */
void engine_release(struct http_connection *connection);
/* Reads the clock for the connection and the engine. */
void engine_read_clock(struct http_connection *connection);
/* The cached "Date: …\r\n". */
const char *engine_date(struct http_engine *engine);
/* NULL when memory is out and so is the spare one; *spare: it is that. */
struct exchange *engine_take_exchange(struct http_engine *engine, bool *spare);
/* Takes it back, into the pool or as the spare. */
void engine_give_exchange(struct http_engine *engine, struct exchange *exchange);
/* Empties a buffer, its error too, and keeps its memory if that is not much. */
void engine_clear_buffer(struct tel_buffer *buffer);

/* ---- connection.c -------------------------------------------------------------------------- */

/* Every way in begins with enter and ends with leave, which frees a closed connection, sets its
 * deadline and its event to what the state asks for, and sees to bytes that wait. */
void connection_enter(struct http_connection *connection);
void connection_leave(struct http_connection *connection);

/* Begins the life of an adopted socket. 0 or -ENOMEM. */
int connection_start(struct http_connection *connection);
void connection_ready(struct http_connection *connection);   /* its turn */
void connection_expired(struct http_connection *connection); /* its deadline has come */
void connection_writable(struct http_connection *connection);
/* Closes an idle connection, or serves what has arrived on it. */
void connection_drain(struct http_connection *connection);
/* Whether more of the client's bytes than the request at hand have arrived. */
bool connection_has_more(struct http_connection *connection);
/* Whether the service has the exchange, and a client it is for. */
static inline bool connection_is_services(const struct http_connection *connection)
{
    return connection->state == STATE_HANDLING || connection->state == STATE_STREAMING;
}

/* ---- ending.c ------------------------------------------------------------------------------ */

/* From here on closing it is a reset, and what the client has not been sent yet it never is. */
void connection_prepare_reset(struct http_connection *connection);
/* Gives the exchange on it up and closes with a reset: the kernel shall not go on offering what the
 * client does not take. */
void connection_abort(struct http_connection *connection, enum http_error error);
/* The same to another connection than the one at hand, because what waits for slow readers is too
 * much; its memory is valid until the loop's next turn. */
void connection_shed(struct http_connection *connection);
/* Ends the connection and the exchange on it, for engine destroy. */
void connection_shutdown(struct http_connection *connection);

/* The socket is broken: ends the exchange on it and closes. */
void connection_lose(struct http_connection *connection);
/* Closes the socket now. */
void connection_close(struct http_connection *connection);
/* The same, but the connection waits for the service to let go of the exchange. */
void connection_detach(struct http_connection *connection);
/* After the response that was the last: a half-close and a drain, or a close where the client asked
 * for it. */
void connection_end(struct http_connection *connection, bool linger);

/* ---- states.c ------------------------------------------------------------------------------ */

#define STATE_NO_LIMIT SIZE_MAX

struct state_row {
    /* Takes at least one byte or changes the state; returns how many. NULL: bytes wait. */
    size_t (*feed)(struct http_connection *connection, const char *bytes, size_t length);
    void (*eof)(struct http_connection *connection);
    void (*expired)(struct http_connection *connection);
    size_t limit; /* where in http_limits its milliseconds are; or STATE_NO_LIMIT */
};
extern const struct state_row state_rows[STATES];

/* ---- exchange.c ---------------------------------------------------------------------------- */

/* Takes an exchange for a first byte; NULL, and the connection is closed, without memory. */
struct exchange *exchange_begin(struct http_connection *connection);
/* The head is complete: judged, opened, and the body awaited or the message complete. */
void exchange_head_complete(struct exchange *exchange);
/* The body is complete, or there is none: handled. */
void exchange_message_complete(struct exchange *exchange);
/* Whether the connection ends with the response at hand. */
bool exchange_is_last(const struct exchange *exchange);
/* Gives the exchange up where the status says that its bytes have no way out; returns whether it goes
 * on. */
bool exchange_goes_on(struct exchange *exchange, enum send_status status);
/* Answers with the error's status and closes. */
void exchange_refuse(struct exchange *exchange, enum http_error error);
/* The response is sent. */
void exchange_sent(struct exchange *exchange);
/* Ends it without another byte to the client; closes the connection. One that the service has ends
 * when that lets go of it. */
void exchange_give_up(struct exchange *exchange, enum http_error error);
/* Tells the service that the exchange is abandoned. */
void exchange_tell(struct exchange *exchange);
/* The service lets go of an abandoned exchange. */
void exchange_let_go(struct exchange *exchange);

/* ---- parse.c ------------------------------------------------------------------------------- */

enum parse_status { PARSE_MORE, PARSE_DONE, PARSE_REFUSED /* exchange->raised says why */ };

/* Makes the parser ready for a new request. */
void parse_begin(struct exchange *exchange);
/* This and parse_body return how many of the bytes they took. */
size_t parse_head(struct exchange *exchange, const char *bytes, size_t length,
                  enum parse_status *status);
/* What a callback returns to stop the parser. */
int parse_raise(struct exchange *exchange, enum http_error error);

/* ---- body.c -------------------------------------------------------------------------------- */

/* For llhttp, in parse.c's table. */
int body_on_chunk_header(llhttp_t *parser);
int body_on_chunk_complete(llhttp_t *parser);
int body_on_data(llhttp_t *parser, const char *at, size_t length);
/* Feeds bytes of the body and its trailers to the parser; returns how many it took. */
size_t parse_body(struct exchange *exchange, const char *bytes, size_t length,
                  enum parse_status *status);
/* Whether the last chunk has come and trailers are being read. */
static inline bool body_in_trailers(const struct exchange *exchange)
{
    return exchange->phase == CHUNK_TRAILERS;
}

/* ---- policy.c ------------------------------------------------------------------------------ */

/* The complete request line: fills method, target, version. What it returns is told at once; what
 * it leaves in `deferred` waits for the end of the head. */
enum http_error policy_judge_line(struct exchange *exchange);
/* What can be told of the method from a line that is incomplete or malformed. */
void policy_salvage_line(struct exchange *exchange);
/* The complete head: fills known headers, authority, framing, keep_alive. */
enum http_error policy_judge_head(struct exchange *exchange);

/* ---- request.c ----------------------------------------------------------------------------- */

/* Headers the engine itself looks at follow those of enum http_known. */
enum { HEADER_CONNECTION = HTTP_KNOWNS, HEADER_TRANSFER_ENCODING, HEADER_UNKNOWN };

/* The header's number. Up to 8 bytes after the name are read; they must be the caller's. */
int request_header_number(struct http_slice name);
/* The method of a token: HTTP_METHOD_OTHER for one that is not known. */
enum http_method request_method(struct http_slice token);
/* The next element of a comma-separated list, trimmed; false at the end. Empty ones are skipped. */
bool request_list_next(struct http_slice *list, struct http_slice *element);
bool slice_is(struct http_slice slice, const char *text); /* without case */

/* ---- errors.c ------------------------------------------------------------------------------ */

/* The status that errors.def gives it; 0: none is sent. */
uint16_t error_status(enum http_error error);

/* ---- response.c ---------------------------------------------------------------------------- */

/* Makes the status one that can be sent. */
void response_check_status(struct http_response *response);
/* Whether a response with that status, to that method, has content at all. */
bool response_may_have_content(const struct http_exchange *exchange);
/* Whether body bytes are sent. */
bool response_has_body(const struct http_exchange *exchange);
/* Appends the head. Returns 0 or the buffer's error. */
int response_append_head(struct tel_buffer *out, const struct http_exchange *exchange,
                         const char *date);

/* ---- send.c -------------------------------------------------------------------------------- */

/* Sends exchange->response; what the socket does not take waits in `out`. */
enum send_status send_response(struct exchange *exchange);
/* Sends "100 Continue". */
enum send_status send_continue(struct exchange *exchange);
struct iovec;
/* Sends bytes that belong to the response, behind what waits. */
enum send_status send_bytes(struct exchange *exchange, struct iovec *pieces, size_t count);
/* Whether something waits. */
static inline bool send_is_pending(const struct exchange *exchange)
{
    return exchange->out_sent < exchange->out.length;
}
/* Goes on with `out`. */
enum send_status send_more(struct exchange *exchange);
/* Disarms the write event. */
void send_stop(struct exchange *exchange);

#endif
