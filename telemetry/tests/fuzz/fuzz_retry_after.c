/*
 * Any bytes as a Retry-After value, at any time: a delay is within its bounds, and the same value
 * later never means a longer wait.
 */
#include <stdlib.h>
#include <string.h>

#include "otlp/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t now_s = 1700000000;
    if (size >= sizeof(now_s) &&
        data[0] > 0x7f) { /* else a text from the corpus, at a fixed time */
        memcpy(&now_s, data, sizeof(now_s));
        data += sizeof(now_s);
        size -= sizeof(now_s);
    }
    char *value = malloc(size > 0 ? size : 1);
    if (value == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(value, data, size);
    }
    uint32_t delay_ms = 0;
    uint32_t later_ms = 0;
    int result = tel__retry_after_parse(value, size, now_s, &delay_ms);
    if (result == 0) {
        require(delay_ms <= TEL__RETRY_AFTER_MAX_MS && delay_ms % 1000 == 0);
        require(tel__retry_after_parse(value, size, (int64_t)now_s + 1, &later_ms) == 0);
        require(later_ms <= delay_ms);
        uint32_t wait_ms = tel__retry_after_wait_ms(delay_ms, now_s);
        require(wait_ms >= delay_ms && wait_ms >= TEL__RETRY_AFTER_MIN_MS);
        require(wait_ms <= TEL__RETRY_AFTER_MAX_MS + TEL__RETRY_AFTER_MAX_MS / 10);
    }
    free(value);
    return 0;
}
