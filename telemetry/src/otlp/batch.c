/*
 * Making an OTLP exporter, and what its state machine decides about: a batch is taken off the queue
 * and encoded in one go, record by record, so that each is counted as taken before it is out of
 * the queue and the terms of the equation never lack one.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/response.h"
#include "otlp/sender.h"
#include "telemetry/clock.h"
#include "telemetry/telemetry.h" /* TEL_VERSION */

#define CONTENT_TYPE "application/x-protobuf"
#define RECORDS_MAX  (TEL_EXPORT_REQUEST_MAX - TEL__ENCODE_HEAD_MAX)

/* ---- a batch ------------------------------------------------------------------------------- */

/* Takes the record on top of the queue off it, after it was encoded or could not be. */
static void take(struct tel__sender *sender)
{
    tel__exporter_add(&sender->exporter->taken, 1);
    tel__queue_pop(sender->exporter->queue);
}

static void compress(struct tel__sender *sender)
{
    const struct iovec pieces[] = {{sender->head.data, sender->head.length},
                                   {sender->records.data, sender->records.length}};
    sender->batch.gzip = sender->exporter->options.compression == TEL_COMPRESSION_GZIP &&
                         tel_gzip(pieces, 2, &sender->packed) == 0; /* or it goes as it is */
}

void tel__sender_fill(struct tel__sender *sender)
{
    struct tel_exporter *exporter = sender->exporter;
    const void *record;
    size_t length;
    tel_buffer_clear(&sender->records);
    memset(&sender->batch, 0, sizeof(sender->batch));
    for (size_t i = 0; i < exporter->options.max_batch; i++) {
        record = tel__queue_peek(exporter->queue, &length);
        if (record == NULL) {
            break;
        }
        if (exporter->encode(&sender->encoder, record, &sender->records) == 0) {
            take(sender);
            sender->batch.count++;
        } else if (sender->batch.count > 0) {
            break; /* it starts the next batch */
        } else {   /* larger than a whole request may be, or than memory is */
            take(sender);
            tel__exporter_add(&exporter->failed[TEL_EXPORT_TOO_LARGE], 1);
        }
    }
    sender->batch.start_ns = tel_clock_monotonic_ns();
    sender->batch.until_ns =
        sender->batch.start_ns + exporter->options.export_timeout_ms * TEL_NS_PER_MS;
    if (sender->batch.count > 0) {
        /* Cannot fail: its room was made at creation, and its size hardly changes. */
        tel__encode_head(&sender->encoder, sender->records.length, &sender->head);
        compress(sender);
    }
}

void tel__sender_post(struct tel__sender *sender, uint32_t timeout_ms)
{
    const struct tel__bytes packed = {sender->packed.data, sender->packed.length};
    const struct tel__bytes plain[] = {{sender->head.data, sender->head.length},
                                       {sender->records.data, sender->records.length}};
    tel__exporter_add(&sender->exporter->requests, 1);
    if (sender->batch.gzip) {
        tel__client_post(sender->client, &packed, 1, true, timeout_ms);
    } else {
        tel__client_post(sender->client, plain, 2, false, timeout_ms);
    }
}

void tel__sender_cancel(struct tel__sender *sender)
{
    tel__client_cancel(sender->client);
}

static void on_answer(const struct tel__outcome *outcome, const struct tel__bytes *body,
                      void *argument)
{
    struct tel__sender *sender = argument;
    struct tel__verdict verdict;
    tel__sender_judge(sender->exporter->queue->signal->records, outcome, body,
                      (int64_t)(tel_clock_wall_ns() / TEL_NS_PER_SECOND), &verdict);
    if (!verdict.retry && verdict.lost == 0 && verdict.reason[0] != '\0' &&
        !sender->warned_partial) {
        tel__loss_say(&sender->exporter->loss, TEL_WARN, "%s: %s", sender->endpoint.display,
                      verdict.reason);
        sender->warned_partial = true; /* it may say so of each batch from now on */
    }
    tel__sender_answer(sender, &verdict);
}

/* ---- making -------------------------------------------------------------------------------- */

static int parse_options(struct tel__sender *sender)
{
    const struct tel_exporter_options *options = &sender->exporter->options;
    const char *reason;
    const char *url = options->endpoint != NULL ? options->endpoint : "";
    if (tel__endpoint_parse(url, &sender->endpoint, &reason) != 0) {
        /* The URL itself is not shown: it may hold a password. */
        tel__loss_say(&sender->exporter->loss, TEL_ERROR, "endpoint cannot be used: %s", reason);
        return -EINVAL;
    }
    sender->exporter->loss.destination = sender->endpoint.display;
    sender->exporter->server_address = sender->endpoint.host;
    snprintf(sender->exporter->server_port, sizeof(sender->exporter->server_port), "%u",
             sender->endpoint.port);
    int error = tel__headers_parse(options->headers, &sender->headers, &reason);
    if (error != 0) {
        tel__loss_say(&sender->exporter->loss, TEL_ERROR, "headers cannot be used: %s", reason);
    }
    return error;
}

static int make_tls(struct tel__sender *sender)
{
    const struct tel_exporter_options *options = &sender->exporter->options;
    char message[768];
    if (!sender->endpoint.tls) {
        return 0;
    }
    sender->tls = tel__tls_create(
        &(struct tel__tls_options){.certificate_file = options->certificate_file,
                                   .certificate_name = options->certificate_name,
                                   .client_key_file = options->client_key_file,
                                   .client_key_name = options->client_key_name,
                                   .client_certificate_file = options->client_certificate_file,
                                   .client_certificate_name = options->client_certificate_name,
                                   .loss = &sender->exporter->loss},
        message, sizeof(message));
    if (sender->tls == NULL) {
        int error = -errno;
        tel__loss_say(&sender->exporter->loss, TEL_ERROR, "TLS for %s: %s",
                      sender->endpoint.display, message);
        return error;
    }
    return 0;
}

static int make_encoder(struct tel__sender *sender)
{
    const struct tel_exporter *exporter = sender->exporter;
    int error = tel__encoder_init(&sender->encoder, exporter->resource,
                                  exporter->options.scope_name, exporter->options.scope_version);
    tel_buffer_init(&sender->records, RECORDS_MAX);
    tel_buffer_init(&sender->head, TEL__ENCODE_HEAD_MAX + 64);
    tel_buffer_init(&sender->packed, TEL_EXPORT_REQUEST_MAX);
    /* The head's room now, so that a batch cannot fail for want of it. */
    return error != 0 ? error
                      : tel_buffer_reserve(&sender->head, sender->encoder.resource.length +
                                                              sender->encoder.scope.length + 64);
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* one thread's alone */
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static int make_client(struct tel__sender *sender)
{
    snprintf(sender->user_agent, sizeof(sender->user_agent), "OTel-OTLP-Exporter-C/%s",
             TEL_VERSION);
    sender->base = make_base();
    if (sender->base == NULL) {
        return -ENOMEM;
    }
    sender->client =
        tel__client_create(&(struct tel__client_options){.base = sender->base,
                                                         .endpoint = &sender->endpoint,
                                                         .headers = &sender->headers,
                                                         .tls = sender->tls,
                                                         .user_agent = sender->user_agent,
                                                         .content_type = CONTENT_TYPE,
                                                         .answered = on_answer,
                                                         .argument = sender});
    return sender->client != NULL ? 0 : -ENOMEM;
}

static int make_sender(struct tel_exporter *exporter)
{
    static int (*const steps[])(struct tel__sender *) = {parse_options, make_encoder, make_tls,
                                                         make_client, tel__sender_init_events};
    struct tel__sender *sender = calloc(1, sizeof(*sender));
    if (sender == NULL) {
        return -ENOMEM;
    }
    sender->exporter = exporter;
    exporter->state = sender;
    int error = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && error == 0; i++) {
        error = steps[i](sender);
    }
    return error; /* what was made goes with the exporter */
}

static void run_sender(struct tel_exporter *exporter)
{
    tel__sender_run(exporter->state);
}

static void destroy_sender(struct tel_exporter *exporter)
{
    struct tel__sender *sender = exporter->state;
    if (sender == NULL) {
        return;
    }
    struct event *const events[] = {sender->wake, sender->stop, sender->timer, sender->deadline};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    tel__client_destroy(sender->client);
    if (sender->base != NULL) {
        event_base_free(sender->base);
    }
    tel__tls_destroy(sender->tls);
    tel__headers_fini(&sender->headers);
    tel__encoder_fini(&sender->encoder);
    tel_buffer_fini(&sender->records);
    tel_buffer_fini(&sender->head);
    tel_buffer_fini(&sender->packed);
    free(sender);
}

const struct tel__exporter_kind tel__exporter_otlp = {
    .component = "otlp_http",
    .errors = TEL__ALL_ERRORS,
    .make = make_sender,
    .run = run_sender,
    .destroy = destroy_sender,
};
