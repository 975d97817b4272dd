// For an autoscaler: loads of a known number and a known price, from a second to another, beside each other. What they
// are is reckoned by loadtest/run from the autoscaler's targets, and told in LOADS:
//
//     [{"name": "steady", "begin": 0, "seconds": 240, "rate": 20, "cpu_ms": 0}, …]
//
// What costs nothing is a hello, what has a price is work of that many milliseconds of CPU.
import { thresholds } from '../lib/judge.js';
import { seconds as secondsOf, settings as read } from '../lib/settings.js';
import { userAgent, tags } from '../lib/trace.js';
import { asker } from '../lib/ask.js';
import { hello as cheap } from '../scenarios/hello.js';
import { work as heavy } from '../scenarios/work.js';

export { handleSummary } from '../lib/summary.js';

const settings = read('hpa');
const loads = JSON.parse(__ENV.LOADS || '[{"name": "steady", "begin": 0, "seconds": 10, "rate": 1, "cpu_ms": 0}]');
const WAIT = 2; // seconds of a rate that may be in flight
const PER = 60; // k6 takes whole numbers: a rate is one of iterations a minute

const actionOf = ({ cpu_ms }) => (cpu_ms > 0 ? heavy : cheap);
const asks = Object.fromEntries(loads.map((load, number) =>
  [load.name, asker(actionOf(load), number, { ...settings, WORK_CPU_MS: load.cpu_ms })]));

function scenario({ name, begin, seconds, rate, cpu_ms }) {
  const vus = Math.ceil(rate * WAIT + rate * cpu_ms / 100) + 10;
  return {
    executor: 'constant-arrival-rate', exec: 'ask', startTime: `${begin}s`, duration: `${seconds}s`,
    timeUnit: `${PER}s`, rate: Math.round(rate * PER), preAllocatedVUs: vus, maxVUs: vus,
    gracefulStop: `${secondsOf(settings.TIMEOUT) + 1}s`, env: { LOAD: name },
  };
}

export const options = {
  scenarios: Object.fromEntries(loads.map((load) => [load.name, scenario(load)])),
  // Latency is what a push is meant to spoil until there are replicas enough; that nothing fails is the promise.
  thresholds: Object.fromEntries(
    Object.entries(thresholds([...new Set(loads.map((load) => actionOf(load).route))], { flawless: true }))
      .filter(([metric]) => !metric.startsWith('http_req_duration'))),
  tags,
  userAgent,
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
};

export function ask() {
  asks[__ENV.LOAD](); // of the scenario's own environment
}
