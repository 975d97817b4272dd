/*
 * The streams of a site: greeted, sent frames, told what they missed, and ended.
 *
 * A stream is sent something only while it is clear, so what waits in it is one frame at most. That it
 * has broken is told by the engine's loop, never from within a call: the list does not change under
 * those who go through it.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "options.h"
#include "page/internal.h"
#include "service.h"

#define STRING(text) (text), sizeof(text) - 1
#define RETRY_AFTER  "5" /* seconds, as the page does */

_Static_assert(PAGE_FRAME_BYTES_MAX <= HTTP_STREAM_PIECE_BYTES, "a frame is one piece");

static struct page *page_of(const struct exchange *exchange)
{
    return exchange->site->service->page;
}

static struct page_site *site_of(const struct exchange *exchange)
{
    return &page_of(exchange)->sites[exchange->site->shard];
}

/* ---- coming ------------------------------------------------------------------------------------ */

static void refuse(struct exchange *exchange, _Atomic uint64_t *count, const char *why)
{
    page_count(count, 1);
    http_response_add(&exchange->http->response, "Retry-After", STRING(RETRY_AFTER));
    exchange_problem(exchange, 503, "%s", why);
}

/* Takes a place among the viewers of all sites; false when there is none. */
static bool take_place(struct page *page)
{
    const uint64_t most = page->service->options->page_viewers;
    if (atomic_fetch_add(&page->gate.viewers, 1) < most) {
        return true;
    }
    atomic_fetch_sub(&page->gate.viewers, 1);
    return false;
}

static void enlist(struct page_site *own, struct page_viewer *viewer)
{
    viewer->next = own->viewers;
    viewer->link = &own->viewers;
    if (viewer->next != NULL) {
        viewer->next->link = &viewer->next;
    }
    own->viewers = viewer;
}

void viewers_remove(struct page_viewer *viewer)
{
    *viewer->link = viewer->next;
    if (viewer->next != NULL) {
        viewer->next->link = viewer->link;
    }
    atomic_fetch_sub(&page_of(viewer->exchange)->gate.viewers, 1);
    viewer->exchange->viewer = NULL;
    free(viewer);
}

static void on_gone(struct exchange *exchange)
{
    if (exchange->viewer != NULL) {
        viewers_remove(exchange->viewer);
    }
}

static void greet(struct page *page, struct page_viewer *viewer)
{
    struct tel_buffer *text = &site_of(viewer->exchange)->text;
    hello_compose(page, viewer->exchange, text);
    if (text->error == 0) {
        http_stream_send(viewer->exchange->http, text->data, text->length);
        viewer->is_greeted = true;
    }
}

/* Another site's page asks, in a browser that says so: it may not read the stream, but would hold a place
 * of it. What is no browser says nothing of the kind. */
static bool is_cross_site(const struct exchange *exchange)
{
    static const char cross_site[] = "cross-site";
    const struct http_slice site = http_request_header(&exchange->http->request, "sec-fetch-site");
    return site.length == sizeof(cross_site) - 1 && memcmp(site.data, cross_site, site.length) == 0;
}

void page_open_stream(struct exchange *exchange)
{
    struct page *page = page_of(exchange);
    struct page_site *own = site_of(exchange);
    struct http_response *response = &exchange->http->response;
    http_response_add(response, "Cache-Control", STRING("no-store"));
    http_response_add(response, "X-Content-Type-Options", STRING("nosniff"));
    if (is_cross_site(exchange)) {
        exchange_problem(exchange, 403, "the page's stream is for the page itself");
        return;
    }
    if (lifecycle_get_state(&page->service->lifecycle) >= LIFE_DRAINING) {
        refuse(exchange, &own->refused_draining, "the service is draining");
        return;
    }
    if (exchange->http->request.method == HTTP_METHOD_HEAD) {
        exchange_begin_stream(exchange, 200, "text/event-stream", on_gone);
        return;
    }
    if (!take_place(page)) {
        refuse(exchange, &own->refused_limit, "as many look at the page as may (--page-viewers)");
        return;
    }
    struct page_viewer *viewer = calloc(1, sizeof(*viewer));
    if (viewer == NULL) {
        atomic_fetch_sub(&page->gate.viewers, 1);
        refuse(exchange, &own->refused_memory, "no memory for another viewer");
        return;
    }
    viewer->exchange = exchange;
    viewer->next_frame = page_hub_newest(&page->hub) + 1;
    viewer->progress_ns = tel_clock_monotonic_ns();
    exchange->viewer = viewer;
    enlist(own, viewer);
    response->close = true; /* nothing comes after a stream */
    exchange_begin_stream(exchange, 200, "text/event-stream", on_gone);
    if (http_stream_is_clear(exchange->http)) {
        greet(page, viewer);
    }
}

/* ---- what it is sent --------------------------------------------------------------------------- */

static void miss(struct page_viewer *viewer, uint64_t frames)
{
    if (frames > 0) {
        viewer->missed += frames;
        viewer->next_frame += frames;
        page_count(&site_of(viewer->exchange)->lost, frames);
    }
}

static void tell_missed(struct page_viewer *viewer)
{
    char event[64];
    const int length = snprintf(event, sizeof(event), "event: lost\ndata: {\"frames\":%llu}\n\n",
                                (unsigned long long)viewer->missed);
    http_stream_send(viewer->exchange->http, event, (size_t)length);
    viewer->missed = 0;
}

/* Sends what it has not had, for as long as the socket takes it. */
static void send_news(struct page *page, struct page_viewer *viewer)
{
    struct http_exchange *http = viewer->exchange->http;
    if (!viewer->is_greeted && http_stream_is_clear(http)) {
        greet(page, viewer);
    }
    while (viewer->is_greeted && http_stream_is_clear(http)) {
        struct page_frame *frame = page_hub_get(&page->hub, viewer->next_frame);
        if (frame == NULL) {
            return;
        }
        miss(viewer, frame->number - viewer->next_frame);
        if (viewer->missed > 0) {
            tell_missed(viewer);
        }
        if (http_stream_is_clear(http)) {
            http_stream_send(http, frame->bytes, frame->length);
            viewer->next_frame++;
        }
        page_frame_release(frame);
    }
}

/* Whether it has taken nothing for so long that it is given up. */
static bool is_stuck(struct page_viewer *viewer, uint64_t now_ns)
{
    const struct http_exchange *http = viewer->exchange->http;
    if (http_stream_is_clear(http) || http->bytes_sent != viewer->bytes) {
        viewer->bytes = http->bytes_sent;
        viewer->progress_ns = now_ns;
    }
    return now_ns - viewer->progress_ns >= PAGE_STUCK_NS;
}

void viewers_turn(struct page *page, struct page_site *own, uint64_t now_ns)
{
    const uint64_t oldest = page_hub_oldest(&page->hub);
    for (struct page_viewer *viewer = own->viewers, *next; viewer != NULL; viewer = next) {
        struct http_exchange *http = viewer->exchange->http;
        next = viewer->next;
        send_news(page, viewer);
        miss(viewer, oldest > viewer->next_frame ? oldest - viewer->next_frame : 0);
        if (is_stuck(viewer, now_ns)) {
            viewers_remove(viewer);
            http_stream_give_up(http, HTTP_ERROR_WRITE_TIMEOUT);
        }
    }
}

/* ---- going ------------------------------------------------------------------------------------- */

void viewers_end(struct page_site *own)
{
    for (struct page_viewer *viewer = own->viewers, *next; viewer != NULL; viewer = next) {
        struct http_exchange *http = viewer->exchange->http;
        next = viewer->next;
        viewers_remove(viewer);
        if (http_stream_is_clear(http)) {
            http_stream_send(http, STRING("event: bye\ndata: {}\n\n"));
        }
        if (http_stream_is_clear(http)) {
            http_stream_end(http);
        } else if (!http->abandoned) {
            http_stream_give_up(http, HTTP_ERROR_SHUTDOWN); /* it would hold up the end */
        }
    }
}
