/*
 * OTEL_RESOURCE_ATTRIBUTES from arbitrary text: all of a list is taken or none; what was taken,
 * written as a list, is taken again and is the same; and each key makes a label that Prometheus
 * allows, so that target_info is one line whatever the values hold.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/resource.h"
#include "telemetry/metrics.h"
#include "telemetry/resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void append_encoded(struct tel_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        tel_buffer_append_char(out, '%');
        tel_buffer_append_hex(out, (const uint8_t *)text, 1);
    }
}

static void check_again(const struct tel_resource *resource)
{
    struct tel_buffer list;
    struct tel_resource *again = tel_resource_create();
    check(again != NULL);
    tel_buffer_init(&list, 4 * 1024 * 1024);
    for (size_t i = 0; i < tel_resource_count(resource); i++) {
        tel_buffer_append_string(&list, i > 0 ? ", " : "");
        append_encoded(&list, tel_resource_at(resource, i).key);
        tel_buffer_append_char(&list, '=');
        append_encoded(&list, tel_resource_at(resource, i).value);
    }
    tel_buffer_append_char(&list, '\0');
    check(list.error == 0 && tel_resource_add_list(again, list.data) == 0);
    check(tel_resource_count(again) == tel_resource_count(resource));
    for (size_t i = 0; i < tel_resource_count(resource); i++) {
        struct tel_resource_attribute attribute = tel_resource_at(resource, i);
        check(strcmp(tel_resource_at(again, i).key, attribute.key) == 0);
        check(strcmp(tel_resource_at(again, i).value, attribute.value) == 0);
        check(strcmp(tel_resource_get(resource, attribute.key), attribute.value) == 0);
    }
    tel_buffer_fini(&list);
    tel_resource_destroy(again);
}

static void check_label(const char *label)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    check(*label != '\0' && strchr(letters, *label) != NULL && strncmp(label, "__", 2) != 0);
    check(label[strspn(label, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")] ==
          '\0');
}

/* Two lines of comment and one sample, and quotes that close. */
static void check_exposed(const struct tel_resource *resource)
{
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_buffer out;
    size_t lines = 0;
    size_t quotes = 0;
    check(registry != NULL && tel_resource_register(resource, registry) == 0);
    tel_buffer_init(&out, 4 * 1024 * 1024);
    tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out);
    check(out.error == 0);
    for (size_t i = 0; i < out.length; i++) {
        if (out.data[i] == '\\') {
            i++; /* what is escaped */
        } else {
            lines += out.data[i] == '\n';
            quotes += out.data[i] == '"';
        }
    }
    check(lines == 3 && quotes % 2 == 0 && quotes <= 2 * resource->label_count);
    tel_buffer_fini(&out);
    tel_registry_destroy(registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct tel_resource *resource = tel_resource_create();
    check(text != NULL && resource != NULL);
    check(tel_resource_add(resource, "service.name", "fuzz") == 0);
    int error = tel_resource_add_list(resource, text);
    check(error == 0 || error == -EINVAL || error == -ENOSPC);
    size_t count = tel_resource_count(resource);
    check(error == 0 ? count >= 1 && count <= 1 + TEL_RESOURCE_LIST_MAX : count == 1);
    check(strcmp(tel_resource_get(resource, "service.name"), "fuzz") == 0);
    check(resource->label_count <= count);
    for (size_t i = 0; i < resource->label_count; i++) {
        check_label(resource->labels[i]);
    }
    if (count <= TEL_RESOURCE_LIST_MAX) {
        check_again(resource);
    }
    check_exposed(resource);
    tel_resource_destroy(resource);
    free(text);
    return 0;
}
