/*
 * Names of the serving threads: a table, so that a label never needs memory.
 */
#include "service.h"

static const char *const numbers[] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
};
_Static_assert(sizeof(numbers) / sizeof(numbers[0]) == SERVICE_WORKERS_MAX, "a label a worker");

const char *service_thread_label(const struct service *service, size_t shard)
{
    return shard < service->worker_count ? numbers[shard] : "main";
}
