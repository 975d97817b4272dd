/*
 * The page's own metrics, read when somebody scrapes; they stand at 0 while it is off.
 */
#include "collect.h"
#include "page/page.h"
#include "service.h"

static struct page_stats stats_of(const void *argument)
{
    const struct service *service = argument;
    struct page_stats stats;
    page_get_stats(service->page, &stats);
    return stats;
}

void collect_page_viewers(struct tel_scrape *scrape, void *argument)
{
    tel_scrape_emit(scrape, NULL, (double)stats_of(argument).viewers);
}

void collect_page_updates_lost(struct tel_scrape *scrape, void *argument)
{
    tel_scrape_emit(scrape, NULL, (double)stats_of(argument).updates_lost);
}

void collect_page_records_skipped(struct tel_scrape *scrape, void *argument)
{
    tel_scrape_emit(scrape, NULL, (double)stats_of(argument).records_skipped);
}

void collect_page_refused(struct tel_scrape *scrape, void *argument)
{
    const struct page_stats stats = stats_of(argument);
    tel_scrape_emit(scrape, (const char *const[]){"limit"}, (double)stats.refused_limit);
    tel_scrape_emit(scrape, (const char *const[]){"draining"}, (double)stats.refused_draining);
    tel_scrape_emit(scrape, (const char *const[]){"memory"}, (double)stats.refused_memory);
}
