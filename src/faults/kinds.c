#include "faults/plan.h"

#define ROUTE   FAULT_SCOPE_ROUTE
#define PROCESS FAULT_SCOPE_PROCESS

static const struct {
    const char *name;
    enum fault_scope scope;
    const char *help;
} kinds[FAULT_KINDS] = {
#define FAULT(ID, name_, scope_, help_) [FAULT_##ID] = {name_, scope_, help_},
#include "faults/kinds.def"
#undef FAULT
};

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

enum fault_scope fault_kind_scope(enum fault_kind kind)
{
    return kinds[kind].scope;
}

const char *fault_kind_help(enum fault_kind kind)
{
    return kinds[kind].help;
}
