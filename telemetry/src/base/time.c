/*
 * Times as RFC 3339 has them. 2^64 nanoseconds end in the year 2554, so gmtime_r(3) has a date for
 * each; and the year has four digits.
 */
#include <time.h>

#include "telemetry/buffer.h"
#include "telemetry/clock.h"

void tel_buffer_append_time(struct tel_buffer *buffer, uint64_t wall_ns, unsigned digits)
{
    time_t seconds = (time_t)(wall_ns / TEL_NS_PER_SECOND);
    uint64_t fraction = wall_ns % TEL_NS_PER_SECOND;
    struct tm utc = {0};
    char date[sizeof("2025-01-02T03:04:05")] = "";
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    for (unsigned place = digits; place < 9; place++) {
        fraction /= 10;
    }
    tel_buffer_append_format(buffer, "%s.%0*uZ", date, (int)digits, (unsigned)fraction);
}
