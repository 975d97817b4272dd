/*
 * Both files are lines of words. A word of either is looked at in place, in a line that is cut off
 * where it is too long for one.
 */
#include "otlp/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char blank[] = " \t\r\n";

/* Calls `take` for each line of a file, without comments, until it returns false. */
static void each_line(const char *path, bool (*take)(char *line, void *argument), void *argument)
{
    char line[TEL__CONF_LINE];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    bool whole = true;
    for (int i = 0; i < TEL__CONF_LINES && fgets(line, sizeof(line), file) != NULL; i++) {
        bool fresh = whole; /* else it is the rest of a line that was too long */
        whole = strchr(line, '\n') != NULL;
        line[strcspn(line, "#;")] = '\0';
        if (fresh && !take(line, argument)) {
            break;
        }
    }
    fclose(file);
}

/* ---- hosts --------------------------------------------------------------------------------- */

struct hosts {
    const char *name;
    size_t length; /* without a dot at its end */
    struct tel__addresses ipv6;
    struct tel__addresses ipv4;
};

static bool is_name(const struct hosts *hosts, const char *word)
{
    size_t length = strlen(word);
    length -= length > 1 && word[length - 1] == '.';
    return length == hosts->length && strncasecmp(word, hosts->name, length) == 0;
}

static bool take_host(char *line, void *argument)
{
    struct hosts *hosts = argument;
    char *rest;
    const char *address = strtok_r(line, blank, &rest);
    if (address == NULL || !tel__address_is_numeric(address)) {
        return true;
    }
    for (const char *word; (word = strtok_r(NULL, blank, &rest)) != NULL;) {
        if (is_name(hosts, word)) {
            tel__addresses_add(strchr(address, ':') != NULL ? &hosts->ipv6 : &hosts->ipv4, address);
        }
    }
    return true;
}

bool tel__hosts_find(const char *path, const char *name, struct tel__addresses *addresses)
{
    size_t length = strlen(name);
    length -= length > 1 && name[length - 1] == '.';
    struct hosts hosts = {.name = name, .length = length};
    each_line(path, take_host, &hosts);
    tel__addresses_join(addresses, &hosts.ipv6, &hosts.ipv4);
    return addresses->count > 0;
}

/* ---- the search list ----------------------------------------------------------------------- */

struct reading {
    struct tel__search *search;
    bool listed; /* by the file */
};

static void add_domain(struct tel__search *search, const char *domain)
{
    size_t length = strlen(domain);
    length -= length > 0 && domain[length - 1] == '.';
    if (search->count < TEL__SEARCH_MAX && length > 0 && length <= TEL__NAME_MAX) {
        memcpy(search->domains[search->count], domain, length);
        search->domains[search->count++][length] = '\0';
    }
}

static void take_option(struct tel__search *search, const char *option)
{
    static const char ndots[] = "ndots:";
    if (strncmp(option, ndots, strlen(ndots)) == 0 &&
        isdigit((unsigned char)option[strlen(ndots)])) {
        unsigned long value = strtoul(option + strlen(ndots), NULL, 10);
        search->ndots = value < TEL__NDOTS_MAX ? (unsigned)value : TEL__NDOTS_MAX;
    }
}

static bool take_setting(char *line, void *argument)
{
    struct reading *reading = argument;
    char *rest;
    const char *key = strtok_r(line, blank, &rest);
    if (key == NULL) {
        return true;
    }
    bool lists = strcmp(key, "search") == 0;
    bool names = strcmp(key, "domain") == 0;
    if (lists || names) { /* the last of such lines counts, as everywhere */
        reading->search->count = 0;
        reading->listed = true;
    }
    for (const char *word; (word = strtok_r(NULL, blank, &rest)) != NULL;) {
        if (lists || (names && reading->search->count == 0)) {
            add_domain(reading->search, word);
        } else if (strcmp(key, "options") == 0) {
            take_option(reading->search, word);
        }
    }
    return true;
}

void tel__search_read(const char *path, struct tel__search *search)
{
    struct reading reading = {.search = search};
    *search = (struct tel__search){.ndots = 1};
    each_line(path, take_setting, &reading);
    if (!reading.listed) {
        char own[TEL__NAME_MAX + 2] = "";
        const char *dot = gethostname(own, sizeof(own) - 1) == 0 ? strchr(own, '.') : NULL;
        if (dot != NULL) {
            add_domain(search, dot + 1);
        }
    }
}

static unsigned count_dots(const char *text)
{
    unsigned count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '.';
    }
    return count;
}

static void put_name(char name[TEL__NAME_MAX + 1], const char *host, const char *domain)
{
    int length =
        snprintf(name, TEL__NAME_MAX + 1, "%s%s%s", host, domain[0] != '\0' ? "." : "", domain);
    if (length < 0 || length > TEL__NAME_MAX) {
        name[0] = '\0';
    }
}

bool tel__search_name(const struct tel__search *search, const char *host, size_t index,
                      char name[TEL__NAME_MAX + 1])
{
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.') { /* whole as it is, says the dot */
        put_name(name, host, "");
        name[strlen(name) - (name[0] != '\0')] = '\0';
        return index == 0;
    }
    if (index > search->count) {
        return false;
    }
    size_t own = count_dots(host) >= search->ndots ? 0 : search->count; /* its turn as it is */
    const char *domain = index == own  ? ""
                         : index < own ? search->domains[index]
                                       : search->domains[index - 1];
    put_name(name, host, domain);
    return true;
}
