/*
 * Memory that libevent and OpenSSL take, by the hooks that they have for it.
 */
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "faults.h"
#include "internal.h"

static void *libevent_malloc(size_t size)
{
    return faults__refuses_memory(FAULTS_LIBEVENT, TAKER)
               ? NULL
               : faults__took(__real_malloc(size), size, TAKER);
}

static void *libevent_realloc(void *old, size_t size)
{
    return faults__resize(old, size, FAULTS_LIBEVENT, TAKER);
}

static void libevent_free(void *block)
{
    faults__gave_back(block);
    __real_free(block);
}

/* OpenSSL keeps what it made once (methods, names, a thread's errors), so it is not watched. */
static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return faults__refuses_memory(FAULTS_OPENSSL, TAKER) ? NULL : __real_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return faults__refuses_memory(FAULTS_OPENSSL, TAKER) ? NULL : __real_realloc(old, size);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    __real_free(block);
}

/* libevent 2.1 uses what it did not get where these are refused memory half-way. The service gives
 * it a reserve (src/reserve.h); here they are refused as a whole, or not at all. */

struct evhttp_request *__real_evhttp_request_new(void (*done)(struct evhttp_request *, void *),
                                                 void *argument);
struct evhttp_request *__wrap_evhttp_request_new(void (*done)(struct evhttp_request *, void *),
                                                 void *argument)
{
    if (faults__refuses(FAULTS_LIBEVENT, TAKER)) {
        return NULL;
    }
    faults__nested++;
    struct evhttp_request *request = __real_evhttp_request_new(done, argument);
    faults__nested--;
    return request;
}

struct evhttp_connection *
__real_evhttp_connection_base_bufferevent_new(struct event_base *base, struct evdns_base *evdns,
                                              struct bufferevent *bufferevent, const char *address,
                                              unsigned short port);
struct evhttp_connection *
__wrap_evhttp_connection_base_bufferevent_new(struct event_base *base, struct evdns_base *evdns,
                                              struct bufferevent *bufferevent, const char *address,
                                              unsigned short port)
{
    if (faults__refuses(FAULTS_LIBEVENT, TAKER)) {
        return NULL;
    }
    faults__nested++;
    struct evhttp_connection *connection =
        __real_evhttp_connection_base_bufferevent_new(base, evdns, bufferevent, address, port);
    faults__nested--;
    return connection;
}

struct bufferevent *__real_bufferevent_openssl_socket_new(struct event_base *base,
                                                          evutil_socket_t fd, struct ssl_st *ssl,
                                                          enum bufferevent_ssl_state state,
                                                          int options);
struct bufferevent *__wrap_bufferevent_openssl_socket_new(struct event_base *base,
                                                          evutil_socket_t fd, struct ssl_st *ssl,
                                                          enum bufferevent_ssl_state state,
                                                          int options)
{
    if (faults__refuses(FAULTS_LIBEVENT, TAKER)) {
        SSL_free((options & BEV_OPT_CLOSE_ON_FREE) != 0 ? ssl : NULL); /* as libevent does */
        return NULL;
    }
    faults__nested++;
    struct bufferevent *made = __real_bufferevent_openssl_socket_new(base, fd, ssl, state, options);
    faults__nested--;
    return made;
}

void __real_bufferevent_setwatermark(struct bufferevent *bufferevent, short events, size_t low,
                                     size_t high);
void __wrap_bufferevent_setwatermark(struct bufferevent *bufferevent, short events, size_t low,
                                     size_t high)
{
    faults__nested++;
    __real_bufferevent_setwatermark(bufferevent, events, low, high);
    faults__nested--;
}

/* Before either library has asked for anything. */
__attribute__((constructor)) static void take_over(void)
{
    event_set_mem_functions(libevent_malloc, libevent_realloc, libevent_free);
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
        abort();
    }
}
