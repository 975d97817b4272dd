/* A greeter on libevent's evhttp. Each request is a span, an observation and a line of the log. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <telemetry/telemetry.h>

static void greet(struct evhttp_request *request, void *whom)
{
    struct evbuffer *body = evbuffer_new();
    evbuffer_add_printf(body, "hello, %s!\n", (const char *)whom);
    evhttp_send_reply(request, HTTP_OK, NULL, body);
    evbuffer_free(body);
}

static void stop(evutil_socket_t number, short what, void *base)
{
    (void)number, (void)what;
    event_base_loopbreak(base);
}

int main(int argc, char *argv[])
{
    signal(SIGPIPE, SIG_IGN); /* a client that has gone is no reason to end */
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    struct event *term = evsignal_new(base, SIGTERM, stop, base);
    struct tel_signals *signals = tel_signals_create(&(struct tel_signals_options){
        .service_name = "greeter", .service_version = "1.0", .access_log = {.path = "-"}});
    struct tel_evhttp *server = signals ? tel_evhttp_create(http, signals, 0) : NULL;
    uint16_t port = argc > 1 ? (uint16_t)atoi(argv[1]) : 8080;
    if (server == NULL || tel_evhttp_set_cb(server, "/hello", greet, "world") != 0 ||
        tel_evhttp_serve_metrics(server, "/metrics") != 0 || event_add(term, NULL) != 0 ||
        evhttp_bind_socket(http, "127.0.0.1", port) != 0 || tel_signals_start(signals) != 0) {
        perror("greeter");
        return EXIT_FAILURE;
    }
    event_base_dispatch(base);
    evhttp_free(http);
    int lost = tel_signals_shutdown(signals, 5000); /* what waits goes out, five seconds at most */
    tel_evhttp_destroy(server);
    tel_signals_destroy(signals);
    event_free(term);
    event_base_free(base);
    return lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
