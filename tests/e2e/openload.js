// Load that does not wait for answers: requests come at a constant rate, whatever becomes of those before. Each leaves a
// line, so that both ends can be counted and compared, request by request:
//
//     r NUMBER ROW BEGIN END STATUS ERROR_CODE "ERROR"       times in milliseconds, k6's error codes, status 0: no answer
//     summary {"iterations": …, "dropped": …, …}             the last line
//
// Each sends a traceparent whose trace id is RUN and its number: the line in the access log and the span have it, too.
// A request whose row says `close` has a connection of its own, which is never used again. For the others a connection
// is kept, and there Go's client hides something: a GET that is cut before an answer is sent again by itself. A POST is
// not. So a row of each tells what a user with any client would see.
import http from 'k6/http';
import exec from 'k6/execution';

const number = (name) => Number(__ENV[name]);
const run = __ENV.RUN;                 // 16 hexadecimal digits
const base = __ENV.TARGET;             // http://name:port
const rows = JSON.parse(__ENV.ROWS);   // [{method, path, close, status}]: taken in turns

export const options = {
  scenarios: {
    open: {
      executor: 'constant-arrival-rate',
      rate: number('RATE'),
      timeUnit: '1s',
      duration: `${number('SECONDS')}s`,
      preAllocatedVUs: number('VUS'),
      maxVUs: number('VUS'),
      gracefulStop: '60s',             // what is in flight at the end is waited for
    },
  },
  userAgent: __ENV.USER_AGENT,
  discardResponseBodies: true,
  summaryTrendStats: ['p(50)', 'p(95)', 'p(99)', 'max'],
};

const hex = (value) => value.toString(16).padStart(16, '0');
const expected = rows.map((row) => http.expectedStatuses(row.status));

export default function () {
  const n = exec.scenario.iterationInTest;
  const index = n % rows.length;
  const row = rows[index];
  const headers = { traceparent: `00-${run}${hex(n)}-${hex(n + 1)}-01` };
  if (row.close) {
    headers.Connection = 'close';
  }
  const begin = Date.now();
  const answer = http.request(row.method, base + row.path, null, {
    headers,
    redirects: 0,
    responseCallback: expected[index],
    tags: { name: `${row.method} ${row.path}` },
  });
  const end = Date.now();
  console.log(`r ${n} ${index} ${begin} ${end} ${answer.status} ${answer.error_code} ${JSON.stringify(answer.error)}`);
}

export function handleSummary(data) {
  const count = (name) => (data.metrics[name] ? data.metrics[name].values.count : 0);
  const summary = {
    iterations: count('iterations'),
    requests: count('http_reqs'),
    dropped: count('dropped_iterations'),
    duration_ms: data.metrics.http_req_duration ? data.metrics.http_req_duration.values : {},
  };
  return { stdout: `summary ${JSON.stringify(summary)}\n` };
}
