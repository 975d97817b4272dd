/*
 * A token is read, looked at, and wiped, in each of the two entries.
 */
#include "faults/token.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "faults/read_file.h"

static bool is_token_byte(char byte)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-._~+/";
    return byte != '\0' && strchr(alphabet, byte) != NULL;
}

/* b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool is_token(struct http_slice text)
{
    size_t at = 0;
    while (at < text.length && is_token_byte(text.data[at])) {
        at++;
    }
    const bool begins = at > 0;
    while (at < text.length && text.data[at] == '=') {
        at++;
    }
    return begins && at == text.length;
}

static struct http_slice without_line_end(const struct tel_buffer *text)
{
    struct http_slice slice = {text->data, text->length};
    if (slice.length > 0 && slice.data[slice.length - 1] == '\n') {
        slice.length--;
        slice.length -= slice.length > 0 && slice.data[slice.length - 1] == '\r';
    }
    return slice;
}

/* Reads the token into `text`. Returns 0, or -EINVAL with the reason, which never quotes it. */
static int read_token(const char *path, struct tel_buffer *text, struct http_slice *token,
                      char reason[FAULT_TOKEN_REASON_BYTES])
{
    int error = read_file(path, text);
    *token = without_line_end(text);
    if (error != 0 && error != -EMSGSIZE) {
        snprintf(reason, FAULT_TOKEN_REASON_BYTES, "it cannot be read: %s", read_file_error(error));
        return -EINVAL;
    }
    if (error != 0 || token->length < FAULT_TOKEN_BYTES_MIN ||
        token->length > FAULT_TOKEN_BYTES_MAX) {
        snprintf(reason, FAULT_TOKEN_REASON_BYTES, "a token has %d to %d bytes",
                 FAULT_TOKEN_BYTES_MIN, FAULT_TOKEN_BYTES_MAX);
        return -EINVAL;
    }
    if (!is_token(*token)) {
        snprintf(reason, FAULT_TOKEN_REASON_BYTES,
                 "it holds more than one token of letters, digits and -._~+/, with = at its end");
        return -EINVAL;
    }
    return 0;
}

static void wipe(struct tel_buffer *text)
{
    if (text->data != NULL) {
        OPENSSL_cleanse(text->data, text->capacity);
    }
    tel_buffer_fini(text);
}

int fault_token_check_file(const char *path, char reason[FAULT_TOKEN_REASON_BYTES])
{
    struct tel_buffer text;
    struct http_slice token;
    tel_buffer_init(&text, FAULT_TOKEN_BYTES_MAX + 2);
    int error = read_token(path, &text, &token, reason);
    wipe(&text);
    return error;
}

/* The token of `Bearer TOKEN` (the scheme in any case, RFC 9110, 11.1); absent when it is none. */
static struct http_slice bearer(struct http_slice authorization)
{
    static const char scheme[] = "Bearer ";
    const size_t length = sizeof(scheme) - 1;
    const struct http_slice none = {NULL, 0};
    if (authorization.length <= length || strncasecmp(authorization.data, scheme, length) != 0) {
        return none;
    }
    struct http_slice token = {authorization.data + length, authorization.length - length};
    while (token.length > 0 && token.data[0] == ' ') {
        token.data++;
        token.length--;
    }
    return token;
}

static bool is_equal(struct http_slice a, struct http_slice b)
{
    unsigned char hash_a[SHA256_DIGEST_LENGTH];
    unsigned char hash_b[SHA256_DIGEST_LENGTH];
    return SHA256((const unsigned char *)a.data, a.length, hash_a) != NULL &&
           SHA256((const unsigned char *)b.data, b.length, hash_b) != NULL &&
           CRYPTO_memcmp(hash_a, hash_b, sizeof(hash_a)) == 0;
}

enum fault_token_verdict fault_token_judge(const char *path, struct http_slice authorization,
                                           char reason[FAULT_TOKEN_REASON_BYTES])
{
    enum fault_token_verdict verdict = FAULT_TOKEN_MISSING;
    struct tel_buffer text;
    struct http_slice ours;
    const struct http_slice theirs = bearer(authorization);
    tel_buffer_init(&text, FAULT_TOKEN_BYTES_MAX + 2);
    if (read_token(path, &text, &ours, reason) != 0) {
        verdict = FAULT_TOKEN_UNREADABLE;
    } else if (theirs.data != NULL) {
        verdict = is_equal(ours, theirs) ? FAULT_TOKEN_GOOD : FAULT_TOKEN_WRONG;
    }
    wipe(&text);
    return verdict;
}
