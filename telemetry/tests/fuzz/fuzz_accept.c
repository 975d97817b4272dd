/*
 * Any bytes as an Accept or Accept-Encoding header: an answer is one of the formats, is the same each
 * time, and does not come out of nothing: who did not write a name does not get what it stands for.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "telemetry/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool mentions(const char *bytes, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= size; at++) {
        if (strncasecmp(bytes + at, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The length is the only end: a copy without room behind it shows a read too far. */
    char *accept = malloc(size + 16);
    if (accept == NULL) {
        return 0;
    }
    memcpy(accept, "*/*;q=0.001 ,   ", 16);
    if (size > 0) {
        memcpy(accept + 16, data, size);
    }
    enum tel_exposition_format format = tel_exposition_negotiate((const char *)data, size);
    require(format == TEL_EXPOSITION_TEXT || format == TEL_EXPOSITION_OPENMETRICS ||
            format == TEL_EXPOSITION_PROTOBUF);
    require(format != TEL_EXPOSITION_OPENMETRICS ||
            mentions((const char *)data, size, "application/openmetrics-text"));
    require(format != TEL_EXPOSITION_PROTOBUF ||
            mentions((const char *)data, size, "io.prometheus.client.MetricFamily"));
    require(format == tel_exposition_negotiate((const char *)data, size));
    require(!tel_exposition_accepts_gzip((const char *)data, size) ||
            mentions((const char *)data, size, "gzip") || mentions((const char *)data, size, "*"));
    require(!tel_exposition_accepts_gzip((const char *)data, size) ||
            mentions((const char *)data, size, "gzip") || mentions((const char *)data, size, "*"));
    /* The last resort in front changes no choice that was made by name with a higher quality. */
    enum tel_exposition_format again = tel_exposition_negotiate(accept, size + 16);
    require(format != TEL_EXPOSITION_TEXT || again == TEL_EXPOSITION_TEXT);
    free(accept);
    return 0;
}
