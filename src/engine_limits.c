/*
 * A line a limit; the options' own table has their ranges.
 */
#include "engine_limits.h"

struct http_limits engine_limits_of(const struct options *options)
{
    return (struct http_limits){.request_line_bytes = options->max_request_line_bytes,
                                .head_bytes = options->max_head_bytes,
                                .header_count = options->max_header_count,
                                .body_bytes = options->max_body_bytes,
                                .idle_ms = (uint32_t)options->idle_timeout_ms,
                                .head_ms = (uint32_t)options->head_timeout_ms,
                                .body_ms = (uint32_t)options->body_timeout_ms,
                                .write_ms = (uint32_t)options->write_timeout_ms,
                                .linger_ms = (uint32_t)options->linger_timeout_ms};
}
