/*
 * Totals only ever grow, so what is unsaid is a difference of two snapshots: said <= composed <=
 * known, and between remarks said = composed.
 */
#include "access_log/losses.h"

#include <string.h>

static const char *const names[TEL_ACCESS_DROPS] = {
    [TEL_ACCESS_QUEUE_FULL] = "queue_full",
    [TEL_ACCESS_WRITE_ERROR] = "write_error",
    [TEL_ACCESS_SHUTDOWN] = "shutdown",
};

const char *tel_access_drop_name(enum tel_access_drop reason)
{
    return names[reason];
}

uint64_t tel__losses_unsaid(const struct tel__losses *losses)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < TEL_ACCESS_DROPS; i++) {
        lines += losses->known[i] - losses->said[i];
    }
    return lines;
}

void tel__losses_append(struct tel__losses *losses, struct tel_buffer *out)
{
    uint64_t total = tel__losses_unsaid(losses);
    tel_buffer_append_format(out, "%llu line%s lost (reason=", (unsigned long long)total,
                             total == 1 ? "" : "s");
    const char *comma = "";
    for (size_t i = 0; i < TEL_ACCESS_DROPS; i++) {
        uint64_t lines = losses->known[i] - losses->said[i];
        if (lines == 0) {
            continue;
        }
        tel_buffer_append_string(out, comma);
        tel_buffer_append_string(out, names[i]);
        if (lines != total) {
            tel_buffer_append_char(out, ':');
            tel_buffer_append_u64(out, lines);
        }
        comma = ",";
    }
    tel_buffer_append_char(out, ')');
    memcpy(losses->composed, losses->known, sizeof(losses->composed));
}

void tel__losses_forget(struct tel__losses *losses)
{
    memcpy(losses->composed, losses->said, sizeof(losses->composed));
}

uint64_t tel__losses_settle(struct tel__losses *losses)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < TEL_ACCESS_DROPS; i++) {
        if (losses->composed[i] > losses->said[i]) {
            lines += losses->composed[i] - losses->said[i];
            losses->said[i] = losses->composed[i];
        }
    }
    return lines;
}
