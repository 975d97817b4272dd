/*
 * OTEL_TRACES_SAMPLER_ARG and what comes of it: sixteen bytes of a trace id, then the text. A ratio
 * is one or refused; what a smaller ratio samples a larger one samples too, and the ends are all and
 * nothing.
 */
#include "trace/sampler.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool decide(double ratio, const uint8_t *trace_id)
{
    const struct tel_sampler sampler = {TEL_SAMPLER_RATIO, ratio, false};
    return tel__sampler_decide(&sampler, trace_id, false, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tel_sampler sampler;
    if (size < 16) {
        return 0;
    }
    char *text = strndup((const char *)data + 16, size - 16);
    check(text != NULL);
    if (tel_sampler_parse("traceidratio", text, &sampler) == 0) {
        check(sampler.root == TEL_SAMPLER_RATIO && !sampler.parent_based);
        check(sampler.ratio >= 0 && sampler.ratio <= 1);
        bool sampled = decide(sampler.ratio, data);
        check(!sampled || decide(sampler.ratio + (1 - sampler.ratio) / 2, data));
        check(sampled || !decide(sampler.ratio / 2, data));
    } else {
        check(sampler.root == TEL_SAMPLER_ALWAYS_ON && sampler.parent_based);
    }
    check(decide(1, data) && !decide(0, data));
    if (tel_sampler_parse(text, NULL, &sampler) == 0) {
        check(strcasestr(text, "ratio") != NULL || sampler.root != TEL_SAMPLER_RATIO);
    }
    free(text);
    return 0;
}
