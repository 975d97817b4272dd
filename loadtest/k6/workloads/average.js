// An ordinary day: up, along, down.
import { plateau, workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('average', (scaled, { RATE, RAMP, DURATION }) => ({
  executor: 'ramping-arrival-rate',
  startRate: 0,
  stages: plateau(scaled(RATE), RAMP, DURATION),
}));
