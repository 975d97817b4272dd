/*
 * Proxies are not supported: who has set one is told so, since it would be expected to be used.
 *
 * How it works: the variables that programs commonly take a proxy from are looked for by name, in
 * both cases. Their values are not read further: they may hold a password.
 *
 * Threads: at start.
 */
#ifndef TEL_CONFIG_PROXY_H
#define TEL_CONFIG_PROXY_H

#include "telemetry/config.h"

/* Warns once, with the names of all that are set to something; says nothing when none is. */
void tel__proxy_warn(tel_getenv_fn *get, tel_diagnostic_fn *diagnostic, void *argument);

#endif
