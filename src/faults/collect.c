/*
 * The ground truth as metrics: what is in force, how strong, and what became of the file. Each family
 * has a sample for each route that users call, whether a plan names it or not, so that a panel shows
 * 0 and not nothing. What was injected is counted where it happened (inject.c).
 */
#include "collect.h"
#include "faults/faults.h"
#include "service.h"

/* Reads the facts of the process. */
static struct faults_facts facts_of(void *argument)
{
    const struct service *service = argument;
    struct faults_facts facts;
    faults_get_facts(service->faults, &facts);
    return facts;
}

static void emit(struct tel_scrape *scrape, double value)
{
    tel_scrape_emit(scrape, NULL, value);
}

/* Calls `each` for every route that faults may touch. */
static void each_route(struct tel_scrape *scrape, const struct fault_state *state,
                       enum fault_kind kind,
                       void (*each)(struct tel_scrape *scrape, const char *path,
                                    const struct fault_value *value))
{
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        const struct route *route = &router_table()[id];
        if (fault_may_touch(route)) {
            each(scrape, route->path, &state->routes[id][kind].value);
        }
    }
}

void collect_fault_in_force(struct tel_scrape *scrape, void *argument)
{
    const struct faults_facts facts = facts_of(argument);
    for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
        const char *name = fault_kind_name((enum fault_kind)kind);
        if (kind >= FAULT_ROUTE_KINDS) {
            tel_scrape_emit(scrape, (const char *const[]){name, ""},
                            facts.state.process[kind].is_on ? 1 : 0);
            continue;
        }
        for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
            const struct route *route = &router_table()[id];
            if (fault_may_touch(route)) {
                tel_scrape_emit(scrape, (const char *const[]){name, route->path},
                                facts.state.routes[id][kind].is_on ? 1 : 0);
            }
        }
    }
}

static void emit_ratio(struct tel_scrape *scrape, const char *path, const struct fault_value *value)
{
    tel_scrape_emit(scrape, (const char *const[]){path}, value->ratio);
}

static void emit_cpu(struct tel_scrape *scrape, const char *path, const struct fault_value *value)
{
    tel_scrape_emit(scrape, (const char *const[]){path}, (double)value->cpu_ns / 1e9);
}

/* Not `quantile`: that label is a summary's. */
static void emit_latency(struct tel_scrape *scrape, const char *path,
                         const struct fault_value *value)
{
    tel_scrape_emit(scrape, (const char *const[]){path, "p50"}, (double)value->p50_ns / 1e9);
    tel_scrape_emit(scrape, (const char *const[]){path, "p90"}, (double)value->p90_ns / 1e9);
    tel_scrape_emit(scrape, (const char *const[]){path, "p99"}, (double)value->p99_ns / 1e9);
}

/* A magnitude by route: a kind, and what of its value is shown. */
#define COLLECT_BY_ROUTE(name, KIND, each)                               \
    void collect_fault_##name(struct tel_scrape *scrape, void *argument) \
    {                                                                    \
        const struct faults_facts facts = facts_of(argument);            \
        each_route(scrape, &facts.state, FAULT_##KIND, each);            \
    }
COLLECT_BY_ROUTE(error_ratio, ERROR, emit_ratio)
COLLECT_BY_ROUTE(reset_ratio, RESET, emit_ratio)
COLLECT_BY_ROUTE(truncate_ratio, TRUNCATE, emit_ratio)
COLLECT_BY_ROUTE(latency, LATENCY, emit_latency)
COLLECT_BY_ROUTE(cpu, CPU, emit_cpu)

/* One figure of the process. */
#define COLLECT_ONE(name, value)                                         \
    void collect_fault_##name(struct tel_scrape *scrape, void *argument) \
    {                                                                    \
        const struct faults_facts facts = facts_of(argument);            \
        emit(scrape, (double)(value));                                   \
    }
COLLECT_ONE(memory, facts.held_bytes)
COLLECT_ONE(background_cpus, facts.burning_cpus)
COLLECT_ONE(plan_last_load, facts.last_load_ok ? 1 : 0)
COLLECT_ONE(plan_end, (double)facts.end_wall_ns / 1e9)

void collect_fault_plan_loads(struct tel_scrape *scrape, void *argument)
{
    const struct faults_facts facts = facts_of(argument);
    tel_scrape_emit(scrape, (const char *const[]){"ok"}, (double)facts.loads_ok);
    tel_scrape_emit(scrape, (const char *const[]){"refused"}, (double)facts.loads_refused);
}
