// Who asks, so that each request can be found again: a traceparent, and the test's id in User-Agent.
//
// A trace id is RUN, 8 random bytes that all requests of a test share, then the scenario's number and the iteration's:
// no two requests have the same, and a prefix selects the test among all spans.
import exec from 'k6/execution';

const run = __ENV.RUN || hexOf(crypto.getRandomValues(new Uint8Array(8)));
const testid = __ENV.TESTID || `k6-${run}`;
const version = __ENV.K6_VERSION || '0';
const GOLDEN = 0.6180339887498949;
const SAMPLED = '01';
const UNSAMPLED = '00';

export const userAgent = `k6/${version} testid/${testid}`;
export const tags = { testid };

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const hex = (value, digits) => value.toString(16).padStart(digits, '0');

// By the fractional part of multiples of the golden ratio: as many as asked in every stretch of the test, and which
// they are follows from their number (glassbox_load/exam.py does the same sum).
const isSampled = (n, share) => share >= 1 || ((n + 1) * GOLDEN) % 1 < share;

// trace(number, share): a trace for the iteration that runs; `number` is the scenario's, `share` of them are sampled.
export function trace(number, share) {
  const n = exec.scenario.iterationInTest;
  const id = `${run}${hex(number, 4)}${hex(n, 12)}`;
  return { id, parent: `00-${id}-${hex(number, 4)}${hex(n + 1, 12)}-${isSampled(n, share) ? SAMPLED : UNSAMPLED}` };
}
