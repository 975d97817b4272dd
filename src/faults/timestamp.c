/*
 * Read from left to right: each step takes its digits and what must follow them. Days are counted in
 * the calendar that was never changed, as RFC 3339 has it: a year's days are 365 and its leap day, a
 * month's days a table.
 */
#include "faults/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "telemetry/clock.h"

#define SECONDS_PER_MINUTE 60
#define SECONDS_PER_HOUR   3600
#define SECONDS_PER_DAY    86400
#define FRACTION_DIGITS    9
#define YEAR_FIRST         1970
#define YEAR_AFTER         2500

struct date {
    unsigned year, month, day, hour, minute, second;
    uint32_t fraction_ns;
    int zone_minutes; /* ahead of UTC */
};

/* ---- text ---------------------------------------------------------------------------------- */

/* Reads exactly `digits` digits of a number within the range. Returns what follows, or NULL; NULL
 * stays NULL, so that calls can follow each other. */
static const char *take(const char *text, unsigned digits, unsigned min, unsigned max,
                        unsigned *number)
{
    unsigned value = 0;
    for (; text != NULL && digits > 0; digits--, text++) {
        if (*text < '0' || *text > '9') {
            return NULL;
        }
        value = value * 10 + (unsigned)(*text - '0');
    }
    *number = value;
    return value >= min && value <= max ? text : NULL;
}

/* Steps over one of the two characters. */
static const char *skip(const char *text, char wanted, char other)
{
    return text != NULL && (*text == wanted || *text == other) ? text + 1 : NULL;
}

static const char *take_fraction(const char *text, uint32_t *fraction_ns)
{
    *fraction_ns = 0;
    if (text == NULL || *text != '.') {
        return text;
    }
    uint32_t scale = TEL_NS_PER_SECOND;
    unsigned digits = 0;
    for (text++; *text >= '0' && *text <= '9'; text++, digits++) {
        scale /= 10;
        *fraction_ns += (uint32_t)(*text - '0') * scale;
    }
    return digits > 0 && digits <= FRACTION_DIGITS ? text : NULL;
}

static const char *take_zone(const char *text, int *minutes)
{
    unsigned hours = 0;
    unsigned rest = 0;
    *minutes = 0;
    if (text == NULL || *text == 'Z' || *text == 'z') {
        return text == NULL ? NULL : text + 1;
    }
    const int sign = *text == '-' ? -1 : 1;
    text = take(skip(text, '+', '-'), 2, 0, 23, &hours);
    text = take(skip(text, ':', ':'), 2, 0, 59, &rest);
    *minutes = sign * (int)(hours * 60 + rest);
    return text;
}

/* ---- calendar ------------------------------------------------------------------------------ */

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from the year 0 to the first of January; years from 1 on. */
static int64_t days_before_year(unsigned year)
{
    const int64_t past = (int64_t)year - 1;
    return 366 + past * 365 + past / 4 - past / 100 + past / 400;
}

static int64_t epoch_seconds(const struct date *date)
{
    int64_t days = days_before_year(date->year) - days_before_year(YEAR_FIRST) + date->day - 1;
    for (unsigned month = 1; month < date->month; month++) {
        days += month_days(date->year, month);
    }
    return days * SECONDS_PER_DAY + date->hour * SECONDS_PER_HOUR +
           date->minute * SECONDS_PER_MINUTE + date->second -
           (int64_t)date->zone_minutes * SECONDS_PER_MINUTE;
}

int timestamp_parse(const char *text, uint64_t *wall_ns)
{
    struct date date;
    text = take(text, 4, 0, 9999, &date.year);
    text = take(skip(text, '-', '-'), 2, 1, 12, &date.month);
    text = take(skip(text, '-', '-'), 2, 1, 31, &date.day);
    text = take(skip(text, 'T', 't'), 2, 0, 23, &date.hour);
    text = take(skip(text, ':', ':'), 2, 0, 59, &date.minute);
    text = take(skip(text, ':', ':'), 2, 0, 59, &date.second);
    text = take_zone(take_fraction(text, &date.fraction_ns), &date.zone_minutes);
    if (text == NULL || *text != '\0' || date.day > month_days(date.year, date.month)) {
        return -EINVAL;
    }
    const int64_t seconds = date.year == 0 ? -1 : epoch_seconds(&date);
    if (seconds < 0 || seconds >= (days_before_year(YEAR_AFTER) - days_before_year(YEAR_FIRST)) *
                                      SECONDS_PER_DAY) {
        return -ERANGE;
    }
    *wall_ns = (uint64_t)seconds * TEL_NS_PER_SECOND + date.fraction_ns;
    return 0;
}
