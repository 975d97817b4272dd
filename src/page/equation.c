/*
 * The order of reading is what makes the bounds true: first what is complete, then the terms, last what
 * is only begun. Of spans and log records it is what the exporter took first, then the queue, then the
 * exporter again: what was taken in between is missing in the queue, and is in the second reading, too.
 */
#include "page/equation.h"

#include "service.h"

#define READ_TRIES 4

/* What an exporter took from its queue, whatever became of it. */
static uint64_t taken(const struct tel_exporter *exporter)
{
    struct tel_exporter_stats stats;
    if (exporter == NULL) {
        return 0;
    }
    tel_exporter_get_stats(exporter, &stats);
    uint64_t sum = stats.acknowledged + stats.inflight;
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        sum += stats.failed[i];
    }
    return sum;
}

/* The same of the second reading. */
static uint64_t spans_taken(const struct reconciliation *terms)
{
    return terms->spans_acknowledged + terms->spans_inflight + terms->spans_failed;
}

static uint64_t records_taken(const struct reconciliation *terms)
{
    return terms->otlp_logs_acknowledged + terms->otlp_logs_inflight + terms->otlp_logs_failed;
}

static bool is_still(const struct equation *equation)
{
    return equation->before.requests == equation->after.requests &&
           equation->before.children == equation->after.children &&
           equation->spans_taken == spans_taken(&equation->terms) &&
           equation->records_taken == records_taken(&equation->terms);
}

void equation_read(const struct service *service, struct equation *equation)
{
    for (int tries = 0; tries < READ_TRIES; tries++) {
        equation->before = instruments_recorded(service->instruments);
        equation->spans_taken = taken(service->exporter);
        equation->records_taken = taken(service->logs_exporter);
        reconciliation_read(service, &equation->terms);
        equation->after = instruments_recording(service->instruments);
        if (is_still(equation)) {
            return;
        }
    }
}

/* An interval of sums. */
struct range {
    uint64_t low;
    uint64_t high;
};

static bool meet(struct range a, struct range b)
{
    return a.low <= b.high && b.low <= a.high;
}

static bool is_one_of(uint64_t value, struct range range)
{
    return meet((struct range){value, value}, range);
}

/* A line whose records go from a queue to an exporter: `at_rest` are those in neither. */
static struct range exported(uint64_t at_rest, uint64_t waiting, uint64_t taken_before,
                             uint64_t taken_after)
{
    const uint64_t rest = at_rest + waiting;
    return (struct range){rest + taken_before, rest + taken_after};
}

struct verdict equation_judge(const struct equation *equation)
{
    const struct reconciliation *terms = &equation->terms;
    const struct range requests = {equation->before.requests, equation->after.requests};
    const struct range spans = {requests.low + equation->before.children,
                                requests.high + equation->after.children};
    const bool metrics = is_one_of(terms->metrics_count, requests);
    const bool log =
        !terms->log_on ||
        is_one_of(terms->log_written + terms->log_waiting + terms->log_dropped, requests);
    const bool server = !terms->spans_on || is_one_of(terms->spans_server, requests);
    const bool all_spans =
        !terms->spans_on ||
        meet(exported(terms->spans_unsampled + terms->spans_dropped, terms->spans_waiting,
                      equation->spans_taken, spans_taken(terms)),
             spans);
    const bool records =
        !terms->otlp_logs_on || meet(exported(terms->otlp_logs_dropped, terms->otlp_logs_waiting,
                                              equation->records_taken, records_taken(terms)),
                                     requests);
    return (struct verdict){
        .metrics = metrics, .log = log, .spans = server && all_spans, .records = records};
}
