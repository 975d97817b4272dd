/*
 * tracestate: up to 32 members `key=value`, over one or several headers (W3C Trace Context level 2,
 * 3.3).
 *
 * What was read so far is kept as a canonical list, without optional white space and without empty
 * members: that is what goes out again, and what a further member's key is compared with. With 32
 * members at most the comparison of each with all before it is cheap, and it needs no memory.
 *
 * One bad member spoils the list: who passes on what he could not read may break what others rely
 * on.
 */
#include <errno.h>
#include <string.h>

#include "telemetry/trace.h"

#define KEY_MAX   256
#define VALUE_MAX 256

struct member {
    const char *text;
    size_t length;
    size_t key_length;
};

static bool is_key_start(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool is_key_char(char byte)
{
    return is_key_start(byte) || byte == '_' || byte == '-' || byte == '*' || byte == '/' ||
           byte == '@';
}

static bool is_value_char(char byte)
{
    return byte >= 0x20 && byte <= 0x7e && byte != ',' && byte != '=';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Checks a member that has no white space around it any more, and finds its key. */
static bool parse_member(struct member *member)
{
    size_t at = 0;
    while (at < member->length && is_key_char(member->text[at])) {
        at++;
    }
    member->key_length = at;
    if (at == 0 || at > KEY_MAX || !is_key_start(member->text[0]) || at == member->length ||
        member->text[at] != '=') {
        return false;
    }
    size_t value_length = member->length - ++at;
    if (value_length == 0 || value_length > VALUE_MAX) {
        return false;
    }
    while (at < member->length && is_value_char(member->text[at])) {
        at++;
    }
    return at == member->length;
}

/* The canonical list as far as it goes: how many members, and whether `key` is one of them. */
static size_t count_members(const struct tel_context *context, const struct member *member,
                            bool *repeated)
{
    size_t count = 0;
    const char *at = context->tracestate;
    const char *end = at + context->tracestate_length;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if ((size_t)(stop - at) > member->key_length && at[member->key_length] == '=' &&
            memcmp(at, member->text, member->key_length) == 0) {
            *repeated = true;
        }
        count++;
        at = stop + 1;
    }
    return count;
}

static int append_member(struct tel_context *context, const struct member *member)
{
    bool repeated = false;
    if (count_members(context, member, &repeated) >= TEL_TRACESTATE_MEMBERS_MAX || repeated) {
        return -EINVAL;
    }
    size_t at = context->tracestate_length;
    size_t comma = at > 0 ? 1 : 0;
    if (member->length > TEL_TRACESTATE_MAX - at ||
        at + comma + member->length > TEL_TRACESTATE_MAX) {
        return -EMSGSIZE;
    }
    if (comma > 0) {
        context->tracestate[at++] = ',';
    }
    memcpy(context->tracestate + at, member->text, member->length);
    context->tracestate_length = (uint16_t)(at + member->length);
    return 0;
}

/* The member between two commas, without the white space around it. */
static struct member trim(const char *text, size_t length)
{
    while (length > 0 && is_blank(text[0])) {
        text++;
        length--;
    }
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    return (struct member){.text = text, .length = length};
}

int tel_tracestate_parse(const char *value, size_t length, struct tel_context *context)
{
    const char *end = value + length;
    for (const char *at = value; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        struct member member = trim(at, (size_t)(stop - at));
        at = stop + 1;
        if (member.length == 0) {
            continue;
        }
        int error = parse_member(&member) ? append_member(context, &member) : -EINVAL;
        if (error != 0) {
            context->tracestate_length = 0;
            return error;
        }
    }
    return 0;
}
