/*
 * The closed list of errors.def as tables: a row more there is all that a new error needs.
 */
#include "http/internal.h"

static const struct {
    const char *name;
    const char *detail;
    uint16_t status;
} errors[HTTP_ERRORS] = {
#define HTTP_ERROR(NAME, name, status, detail) [HTTP_ERROR_##NAME] = {name, detail, status},
#include "http/errors.def"
#undef HTTP_ERROR
};

const char *http_error_name(enum http_error error)
{
    return (size_t)error < HTTP_ERRORS ? errors[error].name : NULL;
}

uint16_t error_status(enum http_error error)
{
    return errors[error].status;
}

const char *http_error_detail(enum http_error error)
{
    return errors[error].detail;
}

bool http_error_is_refusal(enum http_error error)
{
    return errors[error].status != 0;
}
