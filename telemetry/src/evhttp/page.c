/*
 * What the library answers itself: the page that a scraper gets, and lines of text. The page's buffers
 * are the server's and keep their memory.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>

#include "evhttp/internal.h"
#include "telemetry/gzip.h"

/* Puts the exposition into `body`, packed where the scraper takes it. Returns 0 or a negative errno. */
static int fill(struct tel_evhttp *server, struct evhttp_request *request, struct evbuffer *body)
{
    struct evkeyvalq *asked = evhttp_request_get_input_headers(request);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    const char *accept = evhttp_find_header(asked, "Accept");
    const char *codings = evhttp_find_header(asked, "Accept-Encoding");
    enum tel_exposition_format format =
        tel_exposition_negotiate(accept, accept != NULL ? strlen(accept) : 0);
    tel_buffer_clear(&server->page);
    int error = tel_registry_expose(server->signals->registry, format, &server->page);
    if (error != 0) {
        return error;
    }
    const struct tel_buffer *bytes = &server->page;
    const struct iovec plain = {server->page.data, server->page.length};
    if (tel_exposition_accepts_gzip(codings, codings != NULL ? strlen(codings) : 0) &&
        tel_gzip(&plain, 1, &server->packed) == 0 &&
        evhttp_add_header(headers, "Content-Encoding", "gzip") == 0) {
        bytes = &server->packed;
    }
    if (evbuffer_add(body, bytes->data, bytes->length) != 0) {
        evhttp_remove_header(headers, "Content-Encoding");
        return -ENOMEM;
    }
    evhttp_add_header(headers, "Content-Type", tel_exposition_content_type(format));
    evhttp_add_header(headers, "Vary", "Accept, Accept-Encoding");
    return 0;
}

static void reply(struct evhttp_request *request, int status, struct evbuffer *body)
{
    char length[24];
    bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
    snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length", length);
    evhttp_send_reply(request, status, NULL, is_head ? NULL : body);
}

void tel__evhttp_answer(struct evhttp_request *request, int status, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL || evbuffer_add(body, text, strlen(text)) != 0) {
        evhttp_send_reply(request, status, NULL, NULL);
    } else {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                          "text/plain; charset=utf-8");
        reply(request, status, body);
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}

void tel__evhttp_serve_page(struct evhttp_request *request, void *argument)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        tel__evhttp_answer(request, HTTP_BADMETHOD, "allowed here: GET, HEAD\n");
        return;
    }
    struct evbuffer *body = evbuffer_new();
    if (body != NULL && fill(argument, request, body) == 0) {
        reply(request, HTTP_OK, body);
    } else {
        tel__evhttp_answer(request, HTTP_SERVUNAVAIL, "no memory for the exposition\n");
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}
