#include "config/proxy.h"

#include <stdio.h>
#include <string.h>

void tel__proxy_warn(tel_getenv_fn *get, tel_diagnostic_fn *diagnostic, void *argument)
{
    static const char *const names[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                        "https_proxy", "ALL_PROXY",  "all_proxy"};
    char message[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = get(names[i]);
        if (value != NULL && value[0] != '\0') {
            length += (size_t)snprintf(message + length, sizeof(message) - length, "%s%s",
                                       length > 0 ? ", " : "", names[i]);
        }
    }
    if (length > 0 && diagnostic != NULL) {
        snprintf(message + length, sizeof(message) - length,
                 ": proxies are not supported; telemetry goes to its endpoint directly");
        diagnostic(TEL_WARN, "config", message, argument);
    }
}
