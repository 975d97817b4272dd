/*
 * Any text as an endpoint, and as a header list: what is accepted can stand in a request without
 * breaking out of its line, and a password is in no message.
 */
#include <stdlib.h>
#include <string.h>

#include "otlp/endpoint.h"
#include "otlp/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void require_one_line(const char *text)
{
    require(strpbrk(text, "\r\n") == NULL);
}

static void check_endpoint(const char *url)
{
    struct tel__endpoint endpoint;
    const char *reason = NULL;
    if (tel__endpoint_parse(url, &endpoint, &reason) != 0) {
        require(reason != NULL);
        return;
    }
    require(endpoint.port != 0 && endpoint.host[0] != '\0' && endpoint.target[0] == '/');
    require(strpbrk(endpoint.target, " \r\n") == NULL);
    require(strpbrk(endpoint.authority, " \r\n/@") == NULL);
    require_one_line(endpoint.authorization);
    require(strchr(endpoint.display, '?') == NULL);
    /* What it is called by is itself an endpoint, and the same one. */
    struct tel__endpoint again;
    if (strlen(endpoint.display) + 1 < sizeof(endpoint.display)) {
        require(tel__endpoint_parse(endpoint.display, &again, &reason) == 0);
        require(again.tls == endpoint.tls && again.port == endpoint.port);
        require(strcmp(again.host, endpoint.host) == 0);
        require(again.authorization[0] == '\0');
    }
}

static void check_headers(const char *list)
{
    struct tel__headers headers;
    const char *reason = NULL;
    if (tel__headers_parse(list, &headers, &reason) != 0) {
        require(reason != NULL && headers.text == NULL);
        return;
    }
    for (size_t i = 0; i < headers.count; i++) {
        require(headers.items[i].name[0] != '\0');
        require(strpbrk(headers.items[i].name, " :\r\n") == NULL);
        require_one_line(headers.items[i].value);
        require(tel__headers_get(&headers, headers.items[i].name) != NULL);
    }
    tel__headers_fini(&headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check_endpoint(text);
    check_headers(text);
    free(text);
    return 0;
}
