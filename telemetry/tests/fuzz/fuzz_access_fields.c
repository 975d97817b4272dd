/*
 * Any string as a field list: it is refused with a reason, or compiled within all bounds; and what
 * is compiled is what its names say: written as directives it is recognised, and compiled again it
 * is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "access_log/directives.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_bounds(const struct tel__fields *fields)
{
    check(fields->count >= 1 && fields->count <= TEL_ACCESS_FIELDS_MAX);
    check(fields->slot_count <= TEL__SLOTS_MAX);
    check(fields->line_max >= 2 * fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct tel__field *field = &fields->list[i];
        check(field->print < TEL__PRINTS);
        check(strlen(field->name) <= TEL__FIELD_NAME_MAX && strpbrk(field->name, " \t,") == NULL);
        for (size_t k = 0; k < 2; k++) {
            check(field->slots[k] < fields->slot_count || field->slots[k] == TEL__NO_SLOT);
        }
    }
    for (size_t i = 0; i < fields->slot_count; i++) {
        check(fields->slots[i].member < sizeof(struct tel_access_record));
    }
}

static void check_directives(const struct tel__fields *fields)
{
    struct tel_buffer out;
    tel_buffer_init(&out, TEL__DIRECTIVES_MAX);
    tel__directives_append(&out, fields, "fuzz", 0);
    check(out.error == 0);
    check(tel__directives_match(fields, out.data, out.length));
    check(!tel__directives_match(fields, out.data, out.length - 1));

    char *names = strndup(out.data, out.length);
    check(names != NULL);
    names[out.length - 1] = '\0';
    struct tel__fields again;
    check(tel__fields_compile(&again, strstr(names, "#Fields:") + 8, fields->iis, NULL, 0) == 0);
    check(memcmp(&again, fields, sizeof(again)) == 0);
    free(names);
    tel_buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = strndup((const char *)data, size);
    char message[TEL__FIELDS_MESSAGE] = "";
    struct tel__fields fields;
    check(list != NULL);
    bool iis = size % 2 == 1;
    if (tel__fields_compile(&fields, list, iis, message, sizeof(message)) == 0) {
        check(message[0] == '\0');
        check_bounds(&fields);
        check_directives(&fields);
    } else {
        check(message[0] != '\0' && strlen(message) < sizeof(message) - 1);
    }
    /* As the head of a file it may be anything, but must be read within its bounds. */
    check(tel__fields_compile(&fields, "date time", iis, NULL, 0) == 0);
    tel__directives_match(&fields, (const char *)data, size);
    free(list);
    return 0;
}
