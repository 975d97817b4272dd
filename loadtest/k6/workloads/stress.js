// More than an ordinary day, for long. Where it is clear that too much was asked, the rest would only take time.
import { plateau, workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('stress', (scaled, { RATE, RAMP, DURATION }) => ({
  executor: 'ramping-arrival-rate',
  startRate: 0,
  stages: plateau(scaled(RATE), RAMP, DURATION),
}), { abortOnFail: true, delayAbortEval: '30s' });
