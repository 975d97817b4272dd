/*
 * telemetry: three signals for programs on libevent, and the proof that they add up.
 *
 *   nouns     what they are                                                  header
 *   buffer    bytes with a ceiling and a sticky error                        buffer.h
 *   gzip      of such bytes                                                  gzip.h
 *   clock     one reading, two meanings                                      clock.h
 *   registry  families of series of cells; exposition                        metrics.h
 *   resource  who is speaking                                                resource.h
 *   tracer    spans, propagation, sampling                                   trace.h
 *   logger    log records                                                    logs.h
 *   exporter  the thread that brings spans or log records to a collector     otlp.h
 *   access    the thread that writes the access log                         access_log.h
 *   config    OTEL_* environment variables                                   config.h
 *   query     secrets of a URL's query, taken out                            query.h
 *   stamp     whether a file was replaced under us                           stamp.h
 *   signals   all of these, made and ended in the right order                signals.h
 *   evhttp    the three signals of libevent's own HTTP server                evhttp.h
 *
 * A shard is a thread that records. It has a number, 0 up to the count given at creation; cells,
 * span queues and log queues have one writer a shard. Everything that records takes that number.
 *
 * Rules that hold everywhere: setup returns 0 or a negative errno; creators return NULL with errno;
 * hot calls are void: they saturate, drop, and count. destroy(NULL) is fine.
 */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include "telemetry/access_log.h"
#include "telemetry/buffer.h"
#include "telemetry/clock.h"
#include "telemetry/config.h"
#include "telemetry/evhttp.h"
#include "telemetry/gzip.h"
#include "telemetry/logs.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp.h"
#include "telemetry/query.h"
#include "telemetry/resource.h"
#include "telemetry/signals.h"
#include "telemetry/stamp.h"
#include "telemetry/trace.h"
#include "telemetry/version.h" /* TEL_VERSION; made by the build */

#endif
