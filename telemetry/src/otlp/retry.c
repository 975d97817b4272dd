/*
 * Dates are read by pattern, a table of the three forms HTTP knows, not by strptime(3), which would
 * obey the locale. A pattern is read byte by byte against the value:
 *
 *     a  any letters (the name of a day: it says nothing new and is not checked)
 *     d  two digits of the day, or a blank and one       m  the name of a month
 *     y  two digits of the year     Y  four              H M S  two digits each
 *
 * and everything else stands for itself.
 */
#include "otlp/retry.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

static const char *const date_patterns[] = {
    "a, d m Y H:M:S GMT", /* IMF-fixdate, the one that is sent today */
    "a, d-m-y H:M:S GMT", /* RFC 850 */
    "a m d H:M:S Y",      /* asctime */
};

#define YEAR_WINDOW 50 /* a two-digit year is never more than this far ahead (RFC 9110 5.6.7) */

uint32_t tel__retry_backoff_ms(unsigned failures, uint64_t random)
{
    uint32_t wait_ms = TEL__RETRY_FIRST_MS;
    for (unsigned i = 1; i < failures && wait_ms < TEL__RETRY_MAX_MS; i++) {
        wait_ms += wait_ms / 2;
    }
    if (wait_ms > TEL__RETRY_MAX_MS) {
        wait_ms = TEL__RETRY_MAX_MS;
    }
    uint32_t spread = wait_ms * 2 / 5; /* from 0.8 to 1.2 of it */
    return wait_ms - spread / 2 + (uint32_t)(random % (spread + 1));
}

uint32_t tel__retry_after_wait_ms(uint32_t delay_ms, uint64_t random)
{
    if (delay_ms < TEL__RETRY_AFTER_MIN_MS) {
        delay_ms = TEL__RETRY_AFTER_MIN_MS;
    }
    return delay_ms + (uint32_t)(random % (delay_ms / 10 + 1));
}

bool tel__retry_is_retryable(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Exactly `count` decimal digits. */
static bool read_number(const char **at, const char *end, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (*at == end || !isdigit((unsigned char)**at)) {
            return false;
        }
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool read_month(const char **at, const char *end, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; end - *at >= 3 && i < 12; i++) {
        if (memcmp(*at, names + 3 * i, 3) == 0) {
            *month = i;
            *at += 3;
            return true;
        }
    }
    return false;
}

static bool read_day_name(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && isalpha((unsigned char)**at)) {
        (*at)++;
    }
    return *at > start;
}

static bool read_day(const char **at, const char *end, int *day)
{
    if (*at < end && **at == ' ') { /* asctime pads with a blank */
        (*at)++;
        return read_number(at, end, 1, day);
    }
    return read_number(at, end, 2, day);
}

/* One letter of a pattern. */
static bool read_part(char part, const char **at, const char *end, struct tm *date)
{
    switch (part) {
    case 'a':
        return read_day_name(at, end);
    case 'd':
        return read_day(at, end, &date->tm_mday);
    case 'm':
        return read_month(at, end, &date->tm_mon);
    case 'y':
        return read_number(at, end, 2, &date->tm_year);
    case 'Y':
        return read_number(at, end, 4, &date->tm_year);
    case 'H':
        return read_number(at, end, 2, &date->tm_hour);
    case 'M':
        return read_number(at, end, 2, &date->tm_min);
    case 'S':
        return read_number(at, end, 2, &date->tm_sec);
    default:
        return *at < end && *(*at)++ == part;
    }
}

static bool is_literal(const char *pattern)
{
    return strcmp(pattern, "GMT") == 0; /* the M in it is no minute */
}

static bool match_date(const char *pattern, const char *at, const char *end, struct tm *date)
{
    for (; *pattern != '\0'; pattern++) {
        if (is_literal(pattern)) {
            return end - at == (long)strlen(pattern) && memcmp(at, pattern, strlen(pattern)) == 0;
        }
        if (!read_part(*pattern, &at, end, date)) {
            return false;
        }
    }
    return at == end;
}

/* The year of a date as tm_year wants it. */
static int full_year(int year, bool two_digits, int64_t now_wall_s)
{
    if (two_digits) {
        time_t now = (time_t)now_wall_s;
        struct tm today;
        int this_year = gmtime_r(&now, &today) != NULL ? today.tm_year + 1900 : 2000;
        year += this_year / 100 * 100 + 100;
        while (year > this_year + YEAR_WINDOW) {
            year -= 100;
        }
    }
    return year - 1900;
}

static bool is_in_range(const struct tm *date)
{
    return date->tm_mday >= 1 && date->tm_mday <= 31 && date->tm_hour <= 23 && date->tm_min <= 59 &&
           date->tm_sec <= 60 && date->tm_year >= 70;
}

static int parse_date(const char *value, size_t length, int64_t now_wall_s, uint32_t *delay_ms)
{
    for (size_t i = 0; i < sizeof(date_patterns) / sizeof(date_patterns[0]); i++) {
        struct tm date = {0};
        if (!match_date(date_patterns[i], value, value + length, &date)) {
            continue;
        }
        date.tm_year = full_year(date.tm_year, strchr(date_patterns[i], 'y') != NULL, now_wall_s);
        if (!is_in_range(&date)) {
            return -EINVAL;
        }
        int64_t ahead_s = (int64_t)timegm(&date) - now_wall_s;
        if (ahead_s <= 0) {
            *delay_ms = 0;
        } else if (ahead_s >= TEL__RETRY_AFTER_MAX_MS / 1000) {
            *delay_ms = TEL__RETRY_AFTER_MAX_MS;
        } else {
            *delay_ms = (uint32_t)ahead_s * 1000;
        }
        return 0;
    }
    return -EINVAL;
}

static int parse_seconds(const char *value, size_t length, uint32_t *delay_ms)
{
    uint32_t seconds = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)value[i])) {
            return -EINVAL;
        }
        seconds = seconds * 10 + (uint32_t)(value[i] - '0');
        if (seconds > TEL__RETRY_AFTER_MAX_MS / 1000) {
            seconds = TEL__RETRY_AFTER_MAX_MS / 1000; /* saturates however long the number is */
        }
    }
    *delay_ms = seconds * 1000;
    return 0;
}

int tel__retry_after_parse(const char *value, size_t length, int64_t now_wall_s, uint32_t *delay_ms)
{
    if (length == 0 || length > TEL__RETRY_AFTER_TEXT_MAX) {
        return -EINVAL;
    }
    if (isdigit((unsigned char)value[0])) {
        return parse_seconds(value, length, delay_ms);
    }
    return parse_date(value, length, now_wall_s, delay_ms);
}
