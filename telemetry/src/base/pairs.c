/*
 * A NUL is written over whatever follows a key, a value or a member: a blank, the `=`, the comma.
 */
#include "base/pairs.h"

#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static char *trim(char *start, char *end)
{
    while (start < end && is_blank(*start)) {
        start++;
    }
    while (end > start && is_blank(end[-1])) {
        end--;
    }
    *end = '\0';
    return start;
}

bool tel__pairs_next(char **list, struct tel__pair *pair)
{
    while (**list != '\0') {
        char *comma = strchrnul(*list, ',');
        char *next = *comma != '\0' ? comma + 1 : comma;
        char *member = trim(*list, comma);
        *list = next;
        if (*member == '\0') {
            continue;
        }
        char *equals = strchr(member, '=');
        pair->value = equals != NULL ? trim(equals + 1, strchr(equals, '\0')) : NULL;
        pair->key = equals != NULL ? trim(member, equals) : member;
        return true;
    }
    return false;
}
