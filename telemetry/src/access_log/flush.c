/*
 * Sending, and what a sink that refuses means.
 *
 *     EAGAIN                              the reader is behind: wait for it
 *     a regular file; no space anywhere   the lines stay: take a torn one off the file, try later
 *     anything else                       nobody will read these lines: drop and count them
 *
 * Invariant: after every flush, each line is sent whole, not begun, or the one torn line that the
 * outbox will complete first.
 */
#include <errno.h>
#include <string.h>

#include "access_log/writer.h"

static const char *name_of(const struct tel__writer *writer)
{
    return writer->path == NULL ? "stdout" : writer->path;
}

static void complain(struct tel__writer *writer, const char *what, const char *consequence)
{
    if (!writer->complained) {
        tel__writer_say(writer, TEL_WARN, "cannot write to %s: %s; %s", name_of(writer), what,
                        consequence);
        writer->complained = true;
    }
}

/* The sink took everything again. */
static void recover(struct tel__writer *writer)
{
    if (writer->complained) {
        tel__writer_say(writer, TEL_INFO_LEVEL, "writing to %s again", name_of(writer));
    }
    writer->complained = false;
    writer->gone = false;
    writer->backoff_ms = 0;
}

int tel__writer_open(struct tel__writer *writer)
{
    struct tel__sink sink;
    struct tel__sink_report report;
    int error = tel__sink_open(&sink, writer->path, &writer->fields, &report);
    if (report.set_aside[0] != '\0') {
        tel__writer_say(writer, TEL_WARN, "%s has other fields: renamed to %s", name_of(writer),
                        report.set_aside);
    }
    if (error != 0) {
        return error;
    }
    if (!tel__sink_is_same(&sink, &writer->sink)) {
        tel__outbox_restart_torn(&writer->outbox);
    }
    if (tel__outbox_torn(&writer->outbox) == 0) {
        tel__outbox_clear_head(&writer->outbox); /* it was meant for the old file */
        tel__losses_forget(&writer->losses);
        writer->newline_due = report.existing == TEL__EXISTING_TORN;
    }
    writer->directives_due = report.existing == TEL__EXISTING_EMPTY;
    writer->gone = false;
    tel__sink_close(&writer->sink);
    writer->sink = sink;
    return 0;
}

/* What could not be opened so far is a FIFO without a reader: tried again when there is a line for
 * it. */
bool tel__writer_is_open(struct tel__writer *writer)
{
    if (writer->sink.fd >= 0) {
        return true;
    }
    if (!tel__outbox_has_lines(&writer->outbox)) {
        return false;
    }
    int error = tel__writer_open(writer);
    if (error != 0) {
        complain(writer, error == -ENXIO ? "nobody reads it" : strerror(-error),
                 "lines wait, and are lost when their queue is full");
    }
    return error == 0;
}

static void took(struct tel__writer *writer, size_t length)
{
    bool had_head = tel__outbox_has_head(&writer->outbox);
    uint64_t lines = tel__outbox_take(&writer->outbox, length);
    atomic_store_explicit(&writer->written,
                          atomic_load_explicit(&writer->written, memory_order_relaxed) + lines,
                          memory_order_release);
    if (had_head && !tel__outbox_has_head(&writer->outbox)) {
        uint64_t said = tel__losses_settle(&writer->losses);
        if (said > 0) {
            tel__writer_say(writer, TEL_WARN, "%llu lines of %s were lost",
                            (unsigned long long)said, name_of(writer));
        }
    }
}

/* Lines that nobody will read. A torn one stays, to be completed for whoever reads next. */
static void drop(struct tel__writer *writer, int error)
{
    uint64_t lines = tel__outbox_drop(&writer->outbox);
    if (!tel__outbox_has_head(&writer->outbox)) {
        tel__losses_forget(&writer->losses);
    }
    atomic_store_explicit(&writer->refused,
                          atomic_load_explicit(&writer->refused, memory_order_relaxed) + lines,
                          memory_order_release);
    writer->directives_due = true;
    writer->gone = true;
    complain(writer, strerror(error), "lines are lost");
}

static bool is_no_space(int error)
{
    return error == ENOSPC || error == EDQUOT || error == ENOMEM || error == ENOBUFS;
}

static enum tel__flush refused(struct tel__writer *writer, int error)
{
    if (error == EAGAIN) {
        return TEL__FLUSH_BEHIND;
    }
    if (writer->sink.kind != TEL__SINK_FILE && !is_no_space(error)) {
        drop(writer, error);
        return TEL__FLUSH_DONE;
    }
    size_t torn = tel__outbox_torn(&writer->outbox);
    if (writer->sink.kind == TEL__SINK_FILE && torn > 0 &&
        tel__sink_cut(&writer->sink, torn) == 0) {
        tel__outbox_restart_torn(&writer->outbox);
    }
    complain(writer, strerror(error), "lines wait, and are lost when their queue is full");
    return TEL__FLUSH_FAILED;
}

enum tel__flush tel__writer_flush(struct tel__writer *writer)
{
    if (writer->sink.fd < 0) {
        return tel__outbox_has_lines(&writer->outbox) ? TEL__FLUSH_FAILED : TEL__FLUSH_DONE;
    }
    struct tel_text next = tel__outbox_next(&writer->outbox);
    if (next.length == 0) {
        return TEL__FLUSH_DONE;
    }
    for (; next.length > 0; next = tel__outbox_next(&writer->outbox)) {
        ssize_t taken = tel__sink_write(&writer->sink, next.data, next.length);
        if (taken < 0) {
            return refused(writer, (int)-taken);
        }
        took(writer, (size_t)taken);
    }
    recover(writer);
    return TEL__FLUSH_DONE;
}
