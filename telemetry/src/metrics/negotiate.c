/*
 * Content negotiation: an Accept header in, a format out; Accept-Encoding likewise.
 *
 *     Accept          = range *( "," range );    range = type "/" subtype *( ";" name "=" value )
 *     Accept-Encoding = coding *( "," coding );  coding = token *( ";" name "=" value )
 *
 * Text is what everybody gets who did not ask by name for something else, so wildcards stand for
 * it, and of several ranges that match it the most specific gives its quality (RFC 9110 12.5.1).
 * Ranges that cannot be parsed are passed over. Parameters nobody knows (`escaping`, `charset`) are
 * ignored.
 *
 * One pass, no allocation; cost is linear in the header's length.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "telemetry/metrics.h"

#define QUALITY_ONE 1000 /* q is kept in thousandths: three decimals are allowed */

struct slice {
    const char *data;
    size_t length;
};

/* The rest of the header, eaten from the front. */
struct reader {
    const char *at;
    const char *end;
};

/* One media range. */
struct range {
    struct slice type; /* `type/subtype`, or the token of a coding */
    struct slice version;
    struct slice proto;
    struct slice encoding;
    int quality; /* in thousandths */
};

static bool slice_is(struct slice slice, const char *text)
{
    return slice.length == strlen(text) && strncasecmp(slice.data, text, slice.length) == 0;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t')) {
        reader->at++;
    }
}

static bool take_char(struct reader *reader, char byte)
{
    if (reader->at == reader->end || *reader->at != byte) {
        return false;
    }
    reader->at++;
    return true;
}

static struct slice take_token(struct reader *reader)
{
    size_t length = tel__token_length(reader->at, (size_t)(reader->end - reader->at));
    struct slice token = {reader->at, length};
    reader->at += length;
    return token;
}

/* A quoted string without its quotes. Escapes stay in: no value that matters has one. */
static bool take_quoted(struct reader *reader, struct slice *value)
{
    value->data = reader->at;
    for (; reader->at < reader->end; reader->at++) {
        if (*reader->at == '"') {
            value->length = (size_t)(reader->at - value->data);
            reader->at++;
            return true;
        }
        if (*reader->at == '\\' && ++reader->at == reader->end) {
            return false;
        }
    }
    return false;
}

/* Moves behind the next comma that stands outside quotes. */
static void skip_range(struct reader *reader)
{
    struct slice ignored;
    while (reader->at < reader->end) {
        char byte = *reader->at++;
        if (byte == ',') {
            return;
        }
        if (byte == '"') {
            take_quoted(reader, &ignored);
        }
    }
}

/* "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ], in thousandths; -1: malformed. */
static int parse_quality(struct slice text)
{
    if (text.length == 0 || text.length > 5 || text.data[0] < '0' || text.data[0] > '1' ||
        (text.length > 1 && text.data[1] != '.')) {
        return -1;
    }
    int quality = (text.data[0] - '0') * QUALITY_ONE;
    int place = QUALITY_ONE / 10;
    for (size_t i = 2; i < text.length; i++, place /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        quality += (text.data[i] - '0') * place;
    }
    return quality <= QUALITY_ONE ? quality : -1;
}

static bool set_parameter(struct range *range, struct slice name, struct slice value)
{
    if (slice_is(name, "q")) {
        range->quality = parse_quality(value);
        return range->quality >= 0;
    }
    if (slice_is(name, "version")) {
        range->version = value;
    } else if (slice_is(name, "proto")) {
        range->proto = value;
    } else if (slice_is(name, "encoding")) {
        range->encoding = value;
    }
    return true;
}

/* What follows a `;`. An empty one is allowed. */
static bool take_parameter(struct reader *reader, struct range *range)
{
    skip_space(reader);
    struct slice name = take_token(reader);
    if (name.length == 0) {
        return true;
    }
    if (!take_char(reader, '=')) {
        return false;
    }
    struct slice value;
    if (take_char(reader, '"')) {
        if (!take_quoted(reader, &value)) {
            return false;
        }
    } else {
        value = take_token(reader);
    }
    return set_parameter(range, name, value);
}

/* Takes a token that parameters will follow. */
static bool take_name(struct reader *reader, struct range *range)
{
    *range = (struct range){.quality = QUALITY_ONE};
    skip_space(reader);
    range->type = take_token(reader);
    return range->type.length > 0;
}

/* What follows the name; the reader is then at a comma or the end, or it is false. */
static bool take_parameters(struct reader *reader, struct range *range)
{
    for (;;) {
        skip_space(reader);
        if (!take_char(reader, ';')) {
            return reader->at == reader->end || *reader->at == ',';
        }
        if (!take_parameter(reader, range)) {
            return false;
        }
    }
}

/* Takes one media range with its parameters. */
static bool take_range(struct reader *reader, struct range *range)
{
    if (!take_name(reader, range) || !take_char(reader, '/') || take_token(reader).length == 0) {
        return false;
    }
    range->type.length = (size_t)(reader->at - range->type.data);
    return take_parameters(reader, range);
}

static bool is_openmetrics(const struct range *range)
{
    return slice_is(range->type, "application/openmetrics-text") &&
           (range->version.length == 0 || slice_is(range->version, "1.0.0") ||
            slice_is(range->version, "0.0.1"));
}

static bool is_protobuf(const struct range *range)
{
    return slice_is(range->type, "application/vnd.google.protobuf") &&
           slice_is(range->proto, "io.prometheus.client.MetricFamily") &&
           slice_is(range->encoding, "delimited");
}

/* How closely a range names text: 0 not at all. */
static int text_specificity(const struct range *range)
{
    static const char *const names[] = {"*/*", "text/*", "text/plain"};
    for (int i = 0; i < 3; i++) {
        if (slice_is(range->type, names[i])) {
            return i + 1;
        }
    }
    return 0;
}

/* What the header says of one format so far. */
struct offer {
    int quality;     /* 0: not acceptable */
    int specificity; /* of the range the quality is from */
    int position;    /* of that range */
};

static void consider(struct offer *offer, int specificity, int quality, int position)
{
    if (specificity > offer->specificity ||
        (specificity == offer->specificity && quality > offer->quality)) {
        *offer = (struct offer){quality, specificity, position};
    }
}

static bool is_better(const struct offer *a, const struct offer *b)
{
    return a->quality > b->quality || (a->quality == b->quality && a->position < b->position);
}

enum tel_exposition_format tel_exposition_negotiate(const char *accept, size_t length)
{
    struct offer offers[TEL_EXPOSITION_PROTOBUF + 1] = {0};
    struct reader reader = {accept, accept != NULL ? accept + length : NULL};
    for (int position = 0; reader.at != reader.end; position++) {
        struct range range;
        if (take_range(&reader, &range)) {
            if (is_openmetrics(&range)) {
                consider(&offers[TEL_EXPOSITION_OPENMETRICS], 3, range.quality, position);
            } else if (is_protobuf(&range)) {
                consider(&offers[TEL_EXPOSITION_PROTOBUF], 3, range.quality, position);
            } else if (text_specificity(&range) > 0) {
                consider(&offers[TEL_EXPOSITION_TEXT], text_specificity(&range), range.quality,
                         position);
            }
        }
        skip_range(&reader);
    }
    enum tel_exposition_format best = TEL_EXPOSITION_TEXT;
    for (int format = 1; format <= TEL_EXPOSITION_PROTOBUF; format++) {
        if (offers[format].quality > 0 && is_better(&offers[format], &offers[best])) {
            best = (enum tel_exposition_format)format;
        }
    }
    return best;
}

bool tel_exposition_accepts_gzip(const char *accept_encoding, size_t length)
{
    struct reader reader = {accept_encoding,
                            accept_encoding != NULL ? accept_encoding + length : NULL};
    bool named = false;
    int quality = 0;
    while (reader.at != reader.end) {
        struct range coding;
        if (take_name(&reader, &coding) && take_parameters(&reader, &coding)) {
            if (slice_is(coding.type, "gzip")) {
                named = true;
                quality = coding.quality;
            } else if (!named && slice_is(coding.type, "*")) {
                quality = coding.quality;
            }
        }
        skip_range(&reader);
    }
    return quality > 0;
}

const char *tel_exposition_content_type(enum tel_exposition_format format)
{
    static const char *const types[] = {
        [TEL_EXPOSITION_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
        [TEL_EXPOSITION_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
        [TEL_EXPOSITION_PROTOBUF] = ("application/vnd.google.protobuf; "
                                     "proto=io.prometheus.client.MetricFamily; encoding=delimited"),
    };
    return types[format];
}
