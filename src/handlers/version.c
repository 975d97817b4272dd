/*
 * GET /version: what was built, with what.
 */
#include <event2/event.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <zlib.h>

#include "build_info.h"
#include "exchange.h"
#include "handlers/handlers.h"

void handle_version(struct exchange *exchange)
{
    int length =
        snprintf(exchange->text, sizeof(exchange->text),
                 "{\"name\":\"%s\",\"version\":\"%s\",\"revision\":\"%s\",\"compiler\":\"%s\","
                 "\"libevent\":\"%s\",\"llhttp\":\"%s\",\"openssl\":\"%s\",\"zlib\":\"%s\"}\n",
                 build_info.name, build_info.version, build_info.revision, build_info.compiler,
                 event_get_version(), build_info.llhttp, OpenSSL_version(OPENSSL_VERSION_STRING),
                 zlibVersion());
    exchange_reply(exchange, 200, "application/json", exchange->text, (size_t)length);
}
