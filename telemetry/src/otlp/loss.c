/*
 * Reasons may quote a collector, so they are cleaned before they go into a log: no control
 * characters, and no end in the middle of a character.
 */
#include "otlp/loss.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COMPONENT   "otlp"
#define MESSAGE_MAX 1024

void tel__loss_say(const struct tel__loss *loss, enum tel_severity severity, const char *format,
                   ...)
{
    if (loss->diagnostic == NULL) {
        return;
    }
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        return;
    }
    size_t length = strlen(message);
    if ((size_t)wanted > length) {
        message[tel__utf8_cut(message, length, length - 1)] = '\0';
    }
    for (char *at = message; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
    }
    loss->diagnostic(severity, COMPONENT, message, loss->argument);
}

/* Returns what the queue had no room for since the last look. */
static uint64_t take_queue_full(struct tel__loss *loss, uint64_t queue_full)
{
    uint64_t more = queue_full - loss->queue_full_seen;
    loss->queue_full_seen = queue_full;
    return more;
}

void tel__loss_note(struct tel__loss *loss, uint64_t now_ns, uint64_t failed, const char *reason,
                    uint64_t queue_full)
{
    uint64_t lost = failed + take_queue_full(loss, queue_full);
    if (lost == 0) {
        return;
    }
    if (!loss->losing) {
        tel__loss_say(loss, TEL_WARN, "%s for %s are being lost: %s%s%s", loss->records,
                      loss->destination, failed > 0 ? "" : "the queue is full",
                      failed == 0 && reason[0] ? "; " : "", reason);
    }
    loss->losing = true;
    loss->lost += lost;
    loss->last_ns = now_ns;
}

void tel__loss_delivered(struct tel__loss *loss, uint64_t now_ns)
{
    if (loss->losing && now_ns - loss->last_ns >= TEL__LOSS_QUIET_NS) {
        tel__loss_say(loss, TEL_WARN, "%s reach %s again; %llu were lost", loss->records,
                      loss->destination, (unsigned long long)loss->lost);
        loss->losing = false;
        loss->lost = 0;
    }
}

void tel__loss_finish(struct tel__loss *loss, uint64_t queue_full)
{
    loss->lost += take_queue_full(loss, queue_full);
    if (loss->losing || loss->lost > 0) {
        tel__loss_say(loss, TEL_WARN, "%s for %s lost until shutdown: %llu", loss->records,
                      loss->destination, (unsigned long long)loss->lost);
        loss->losing = false;
        loss->lost = 0;
    }
}
