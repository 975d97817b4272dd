/* The page is put together in its places, its policy is that of what it holds, and it stays small. */
#include "page/document.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define SLICE(literal)                 \
    (struct http_slice)                \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

#define MARKUP "<!doctype html><head><!--style--></head><body>text<!--script--></body>\n"

static struct page_parts parts_of(struct http_slice html, struct http_slice style,
                                  struct http_slice script)
{
    return (struct page_parts){
        .html = html, .style = style, .scripts = {script}, .script_count = 1};
}

static void assert_text(const struct tel_buffer *buffer, const char *expected)
{
    assert_int_equal(buffer->length, strlen(expected));
    assert_memory_equal(buffer->data, expected, buffer->length);
}

/* What OpenSSL's one-shot call and ours must agree on, in a directive. */
static void assert_policy_has(const char *policy, const char *directive, const char *content,
                              size_t length)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char text[64];
    char expected[128];
    SHA256((const unsigned char *)content, length, digest);
    EVP_EncodeBlock((unsigned char *)text, digest, sizeof(digest));
    snprintf(expected, sizeof(expected), "%s 'sha256-%s'", directive, text);
    assert_non_null(strstr(policy, expected));
}

static void test_parts_in_their_places(void **state)
{
    (void)state;
    struct page_document document;
    struct page_parts parts = parts_of(SLICE(MARKUP), SLICE("a { b: c }"), SLICE("one();\n"));
    parts.scripts[parts.script_count++] = SLICE("two();\n");
    assert_int_equal(page_document_init(&document, &parts), 0);
    assert_text(&document.html, "<!doctype html><head><style>a { b: c }</style></head><body>text"
                                "<script>one();\ntwo();\n</script></body>\n");
    assert_policy_has(document.policy, "style-src", "a { b: c }", 10);
    assert_policy_has(document.policy, "script-src", "one();\ntwo();\n", 14);
    assert_ptr_equal(strstr(document.policy, "default-src 'none'; "), document.policy);
    page_document_fini(&document);
}

/* The known answer of FIPS 180-4, so that two of a kind cannot be wrong together. */
static void test_known_hash(void **state)
{
    (void)state;
    struct page_document document;
    const struct page_parts parts = parts_of(SLICE(MARKUP), SLICE(""), SLICE("abc"));
    assert_int_equal(page_document_init(&document, &parts), 0);
    assert_string_equal(document.policy,
                        "default-src 'none'; "
                        "script-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='; "
                        "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
                        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'");
    page_document_fini(&document);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static char large[PAGE_DOCUMENT_BYTES_MAX + 1];
    memset(large, 'x', sizeof(large));
    const struct {
        struct page_parts parts;
        int error;
    } cases[] = {
        {parts_of(SLICE("<!--style-->"), SLICE(""), SLICE("")), -EINVAL},
        {parts_of(SLICE("<!--script-->"), SLICE(""), SLICE("")), -EINVAL},
        {parts_of(SLICE("<!--script--><!--style-->"), SLICE(""), SLICE("")), -EINVAL},
        {parts_of(SLICE(MARKUP), SLICE("a </style> b"), SLICE("")), -EINVAL},
        {parts_of(SLICE(MARKUP), SLICE(""), SLICE("a </script b")), -EINVAL},
        {parts_of(SLICE(MARKUP), SLICE(""), SLICE("a <!-- b")), -EINVAL},
        {parts_of(SLICE(MARKUP), SLICE(""), SLICE("a\r\nb")), -EINVAL},
        {parts_of(SLICE(MARKUP), SLICE(""), (struct http_slice){large, sizeof(large)}), -EMSGSIZE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct page_document document;
        assert_int_equal(page_document_init(&document, &cases[i].parts), cases[i].error);
        page_document_fini(&document);
    }
}

static void test_compressed_is_the_same(void **state)
{
    (void)state;
    struct page_document document;
    struct page_parts parts;
    page_parts_get(&parts);
    assert_int_equal(page_document_init(&document, &parts), 0);
    char *plain = malloc(document.html.length + 1);
    assert_non_null(plain);
    z_stream stream = {.next_in = (Bytef *)document.packed.data,
                       .avail_in = (uInt)document.packed.length,
                       .next_out = (Bytef *)plain,
                       .avail_out = (uInt)document.html.length + 1};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, document.html.length);
    assert_memory_equal(plain, document.html.data, document.html.length);
    assert_true(document.packed.length < document.html.length);
    inflateEnd(&stream);
    free(plain);
    page_document_fini(&document);
}

/* The page as it is built: within its budget, whole, and with nothing that its policy forbids. */
static void test_our_own_files(void **state)
{
    (void)state;
    static const char *const forbidden[] = {
        " style=", " onclick=", " onload=", "=\"http", "=\"//", "url("};
    struct page_document document;
    struct page_parts parts;
    page_parts_get(&parts);
    assert_true(parts.script_count > 0);
    assert_int_equal(page_document_init(&document, &parts), 0);
    assert_true(document.html.length < PAGE_DOCUMENT_BYTES_MAX);
    static const char start[] = "<!doctype html>";
    assert_memory_equal(document.html.data, start, sizeof(start) - 1);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        assert_null(memmem(parts.html.data, parts.html.length, forbidden[i], strlen(forbidden[i])));
    }
    page_document_fini(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_in_their_places), cmocka_unit_test(test_known_hash),
        cmocka_unit_test(test_what_is_refused),       cmocka_unit_test(test_compressed_is_the_same),
        cmocka_unit_test(test_our_own_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
