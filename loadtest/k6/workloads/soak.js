// An ordinary day without an end. It takes hours: what is lost early ends it early.
import { plateau, workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('soak', (scaled, { RATE, RAMP, DURATION }) => ({
  executor: 'ramping-arrival-rate',
  startRate: 0,
  stages: plateau(scaled(RATE), RAMP, DURATION),
}), { abortOnFail: true, delayAbortEval: '1m' });
