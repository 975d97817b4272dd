/*
 * What an outcome means for the records that were sent: acknowledged, lost, or to be sent again.
 *
 *     outcome             again?  error.type of what is lost
 *     no connection       yes     connection
 *     stale               at once connection
 *     disconnected        yes     connection
 *     no answer in time   yes     timeout        (for OTLP it is a disconnect of our own)
 *     malformed           no      bad_response
 *     429 502 503 504     yes     status
 *     2xx                 no      rejected, as many as the collector says; bad_response, all, when
 *                                 the body is no Export…ServiceResponse
 *     anything else       no      status
 */
#include <stdio.h>
#include <string.h>

#include "otlp/response.h"
#include "otlp/sender.h"

#define ALL UINT64_MAX

struct transport_row {
    bool retry;
    bool at_once;
    enum tel_export_error error;
};

static const struct transport_row transport_rows[] = {
    [TEL__OUTCOME_NO_CONNECTION] = {true, false, TEL_EXPORT_CONNECTION},
    [TEL__OUTCOME_STALE] = {true, true, TEL_EXPORT_CONNECTION},
    [TEL__OUTCOME_DISCONNECTED] = {true, false, TEL_EXPORT_CONNECTION},
    [TEL__OUTCOME_TIMEOUT] = {true, false, TEL_EXPORT_TIMEOUT},
    [TEL__OUTCOME_MALFORMED] = {false, false, TEL_EXPORT_BAD_RESPONSE},
};

static void set_reason(struct tel__verdict *verdict, const char *what, const char *message,
                       size_t length)
{
    snprintf(verdict->reason, sizeof(verdict->reason), "%s%s%.*s", what, length > 0 ? ": " : "",
             (int)(length < TEL__REASON_MAX ? length : TEL__REASON_MAX), length > 0 ? message : "");
}

static void judge_success(const char *records, const struct tel__bytes *body,
                          struct tel__verdict *verdict)
{
    struct tel__response response;
    if (tel__response_parse(body->data, body->length, &response) != 0) {
        verdict->error = TEL_EXPORT_BAD_RESPONSE;
        verdict->lost = ALL;
        set_reason(verdict, "the answer's body is not OTLP", NULL, 0);
        return;
    }
    verdict->error = TEL_EXPORT_REJECTED;
    verdict->lost = response.rejected > 0 ? (uint64_t)response.rejected : 0;
    if (verdict->lost > 0 || response.message != NULL) {
        char what[64] = "the collector remarks";
        if (verdict->lost > 0) {
            snprintf(what, sizeof(what), "the collector rejected %s", records);
        }
        set_reason(verdict, what, response.message, response.message_length);
    }
}

static void judge_failure(const struct tel__outcome *outcome, const struct tel__bytes *body,
                          int64_t now_wall_s, struct tel__verdict *verdict)
{
    char what[64];
    size_t length = 0;
    const char *message = tel__response_status_message(body->data, body->length, &length);
    verdict->retry = tel__retry_is_retryable(outcome->status);
    verdict->error = TEL_EXPORT_STATUS;
    verdict->lost = ALL;
    verdict->has_retry_after =
        verdict->retry && tel__retry_after_parse(outcome->retry_after, strlen(outcome->retry_after),
                                                 now_wall_s, &verdict->retry_after_ms) == 0;
    snprintf(what, sizeof(what), "HTTP status %d", outcome->status);
    set_reason(verdict, what, message, message != NULL ? length : 0);
}

void tel__sender_judge(const char *records, const struct tel__outcome *outcome,
                       const struct tel__bytes *body, int64_t now_wall_s,
                       struct tel__verdict *verdict)
{
    *verdict = (struct tel__verdict){0};
    if (outcome->kind != TEL__OUTCOME_ANSWER) {
        const struct transport_row *row = &transport_rows[outcome->kind];
        verdict->retry = row->retry;
        verdict->at_once = row->at_once;
        verdict->error = row->error;
        verdict->lost = ALL;
        set_reason(verdict, outcome->reason, NULL, 0);
        return;
    }
    if (outcome->status >= 100 && outcome->status <= 999) { /* others are no status of HTTP */
        verdict->status = (unsigned)outcome->status;
    }
    if (outcome->status >= 200 && outcome->status < 300) {
        judge_success(records, body, verdict);
    } else {
        judge_failure(outcome, body, now_wall_s, verdict);
    }
}
