// Ever more, until an objective is missed or k6 cannot keep the rate: how much is too much? It is meant to end by a
// threshold, and the rate at that moment is the answer.
import { workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('breakpoint', (scaled, { RATE, DURATION }) => ({
  executor: 'ramping-arrival-rate',
  startRate: 0,
  stages: [{ target: scaled(RATE), duration: DURATION }],
}), { abortOnFail: true, delayAbortEval: '10s' });
