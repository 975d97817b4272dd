/*
 * Any bytes as a collector's answer: what is said of them lies within them, and the verdict never
 * makes more spans out of an answer than the caller can bound.
 */
#include <stdlib.h>
#include <string.h>

#include "otlp/response.h"
#include "otlp/sender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void require_within(const char *text, size_t length, const char *bytes, size_t size)
{
    require(text == NULL ||
            (length > 0 && text >= bytes && length <= size && text + length <= bytes + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 503};
    /* A copy of exactly this size shows a read too far. */
    char *bytes = malloc(size > 0 ? size : 1);
    struct tel__response response;
    size_t length = 0;
    if (bytes == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    int result = tel__response_parse(bytes, size, &response);
    if (result == 0) {
        require_within(response.message, response.message_length, bytes, size);
    }
    const char *message = tel__response_status_message(bytes, size, &length);
    require_within(message, length, bytes, size);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct tel__verdict verdict;
        tel__sender_judge(
            "log records",
            &(struct tel__outcome){.kind = TEL__OUTCOME_ANSWER, .status = statuses[i]},
            &(struct tel__bytes){bytes, size}, 0, &verdict);
        require(memchr(verdict.reason, '\0', sizeof(verdict.reason)) != NULL);
        require(verdict.retry == (statuses[i] == 503));
        require(i != 0 || (verdict.error == TEL_EXPORT_BAD_RESPONSE) == (result != 0));
    }
    free(bytes);
    return 0;
}
