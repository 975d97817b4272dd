// What of single requests is told: the slowest, and those that failed, with the trace that a person can open. A line
// of JSON each on the console, which loadtest/run reads:
//
//     {"note": "slow", "route": "/demo/work", "ms": 41.2, "status": 200, "trace": "…",
//      "error": "", "at": 1795720000000,
//      "expected": true}
//
// A virtual user knows of no other, so each tells what was slower than its own slowest so far, and its first failures.
const FAILURES = 10; // of a virtual user

let told = [];
let failures = 0;

// note(answer, route, id, { failed, expected }, most): `most` slowest are kept by each virtual user.
export function note(answer, route, id, { failed, expected }, most) {
  const ms = answer.timings.duration;
  const row = { route, ms, status: answer.status, trace: id, error: answer.error, at: Date.now(), expected };
  if (failed && failures < FAILURES) {
    failures += 1;
    console.log(JSON.stringify({ note: 'failed', ...row }));
  }
  if (told.length < most || ms > told[0]) {
    told = [...told.slice(told.length < most ? 0 : 1), ms].sort((a, b) => a - b);
    console.log(JSON.stringify({ note: 'slow', ...row }));
  }
}
