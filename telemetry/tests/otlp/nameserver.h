/*
 * A nameserver for tests, on a port of loopback and on the test's own event loop: it answers by a
 * table of names, well or badly, and remembers what it was asked.
 */
#ifndef TEL_TESTS_OTLP_NAMESERVER_H
#define TEL_TESTS_OTLP_NAMESERVER_H

#include <arpa/inet.h>
#include <ctype.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#define TYPE_A        1
#define TYPE_CNAME    5
#define TYPE_AAAA     28
#define QUESTIONS_MAX 64
#define PACKET_MAX    1400

/* How a name is answered, beside with its addresses; a name that no row has does not exist. */
enum how {
    WELL,
    SERVFAIL,
    REFUSED,
    SILENT,
    SILENT_IPV6, /* for that family alone */
    TRUNCATED,
    GARBAGE,
    ALIAS /* by way of a CNAME */
};

struct record {
    const char *name;
    const char *ipv6; /* blank-separated, or NULL */
    const char *ipv4;
    enum how how;
};

struct nameserver {
    const struct record *records;
    size_t record_count;
    int socket;
    uint16_t port;
    struct event *asked;
    size_t questions;
    char names[QUESTIONS_MAX][256]; /* lower case, `AAAA name` or `A name` */
};

struct packet {
    uint8_t bytes[PACKET_MAX];
    size_t length;
};

static inline void put(struct packet *packet, const void *bytes, size_t length)
{
    assert_true(packet->length + length <= sizeof(packet->bytes));
    memcpy(packet->bytes + packet->length, bytes, length);
    packet->length += length;
}

/* A resource record for the name at `name` of the packet. */
static inline void put_record(struct packet *packet, uint8_t name, uint8_t type, const void *data,
                              size_t length)
{
    const uint8_t head[] = {0xc0, name, 0, type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)length};
    put(packet, head, sizeof(head));
    put(packet, data, length);
    packet->bytes[7]++;
}

static inline void put_addresses(struct packet *packet, uint8_t name, unsigned type,
                                 const char *list)
{
    char copy[512];
    char *rest;
    snprintf(copy, sizeof(copy), "%s", list != NULL ? list : "");
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        uint8_t address[16];
        assert_int_equal(inet_pton(type == TYPE_A ? AF_INET : AF_INET6, word, address), 1);
        put_record(packet, name, (uint8_t)type, address, type == TYPE_A ? 4 : 16);
    }
}

static inline const struct record *find_record(const struct nameserver *server, const char *name)
{
    for (size_t i = 0; i < server->record_count; i++) {
        if (strcmp(server->records[i].name, name) == 0) {
            return &server->records[i];
        }
    }
    return NULL;
}

/* Reads the question's name in lower case; returns its type. */
static inline unsigned read_question(struct packet *packet, char name[256])
{
    size_t at = 12;
    char *out = name;
    while (packet->bytes[at] != 0) {
        for (size_t i = 1; i <= packet->bytes[at]; i++) {
            *out++ = (char)tolower(packet->bytes[at + i]);
        }
        *out++ = '.';
        at += packet->bytes[at] + 1u;
    }
    out[out > name ? -1 : 0] = '\0';
    packet->length = at + 5; /* what follows is left out of the answer */
    return packet->bytes[at + 2];
}

/* Turns a question into its answer; false when there is to be none. */
static inline bool answer_well(const struct nameserver *server, struct packet *packet)
{
    static const uint8_t codes[] = {[SERVFAIL] = 2, [REFUSED] = 5, [ALIAS] = 0};
    static const uint8_t alias[] = {5, 'o', 't', 'h', 'e', 'r', 0};
    char name[256];
    unsigned type = read_question(packet, name);
    const struct record *record = find_record(server, name);
    enum how how = record != NULL ? record->how : WELL;
    uint8_t at = 12;
    packet->bytes[2] = 0x81 | (how == TRUNCATED ? 2 : 0);
    packet->bytes[3] = 0x80 | (record == NULL ? 3 : codes[how]);
    packet->bytes[9] = packet->bytes[11] = 0;
    if (how == GARBAGE) {
        packet->bytes[7] = 3; /* answers that are not there */
        return true;
    }
    if (how == ALIAS) {
        put_record(packet, at, TYPE_CNAME, alias, sizeof(alias));
        at = (uint8_t)(packet->length - sizeof(alias));
    }
    if (record != NULL && how != SERVFAIL && how != REFUSED) {
        put_addresses(packet, at, type, type == TYPE_A ? record->ipv4 : record->ipv6);
    }
    return how != SILENT && !(how == SILENT_IPV6 && type == TYPE_AAAA);
}

static inline void answer_question(evutil_socket_t fd, short what, void *argument)
{
    struct nameserver *server = argument;
    struct packet packet = {0};
    struct sockaddr_in from;
    socklen_t from_length = sizeof(from);
    ssize_t length = recvfrom(fd, packet.bytes, 512, 0, (struct sockaddr *)&from, &from_length);
    (void)what;
    if (length < 17) {
        return;
    }
    char name[256];
    unsigned type = read_question(&packet, name);
    if (server->questions < QUESTIONS_MAX) {
        snprintf(server->names[server->questions], sizeof(server->names[0]), "%s %.240s",
                 type == TYPE_A ? "A" : "AAAA", name);
    }
    server->questions++;
    if (answer_well(server, &packet)) {
        assert_int_equal(
            sendto(fd, packet.bytes, packet.length, 0, (struct sockaddr *)&from, from_length),
            packet.length);
    }
}

static inline void nameserver_start(struct nameserver *server, struct event_base *base,
                                    const struct record *records, size_t record_count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    *server = (struct nameserver){.records = records, .record_count = record_count};
    server->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->socket, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    server->asked = event_new(base, server->socket, EV_READ | EV_PERSIST, answer_question, server);
    assert_int_equal(event_add(server->asked, NULL), 0);
}

static inline void nameserver_stop(struct nameserver *server)
{
    event_free(server->asked);
    close(server->socket);
}

static inline bool nameserver_was_asked(const struct nameserver *server, const char *question)
{
    for (size_t i = 0; i < server->questions && i < QUESTIONS_MAX; i++) {
        if (strcmp(server->names[i], question) == 0) {
            return true;
        }
    }
    return false;
}

#endif
