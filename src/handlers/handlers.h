/*
 * The endpoints, one small file each: handle_<name>() is called with an exchange whose request is
 * complete and whose method is one that its route takes, and answers now or later (exchange.h).
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_HANDLERS_H
#define GLASSBOX_HANDLERS_H

struct exchange;

void handle_root(struct exchange *exchange);         /* / */
void handle_hello(struct exchange *exchange);        /* /demo/hello */
void handle_random_error(struct exchange *exchange); /* /demo/random-error */
void handle_work(struct exchange *exchange);         /* /demo/work */
void handle_metrics(struct exchange *exchange);      /* /metrics */
void handle_livez(struct exchange *exchange);        /* /livez */
void handle_readyz(struct exchange *exchange);       /* /readyz */
void handle_faults(struct exchange *exchange);       /* /faults */
void handle_incidents(struct exchange *exchange);    /* /incidents/{name} */
void handle_page(struct exchange *exchange);         /* / of operators */
void handle_page_events(struct exchange *exchange);  /* /page/events */
void handle_version(struct exchange *exchange);      /* /version */

#endif
