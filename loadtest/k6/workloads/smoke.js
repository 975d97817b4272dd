// Does it work at all? A few requests of each kind: too few to tell bad luck from a missed objective, so they are
// judged by what a person would notice (settings.json: `by`).
import { workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('smoke', (scaled, { RATE, DURATION }) => ({
  executor: 'constant-arrival-rate',
  rate: scaled(RATE),
  duration: DURATION,
}));
