// All at once, and gone again: an ordinary rate, many times of it within seconds, and the ordinary rate again, to see
// what is left of it. It is never ended early: how it recovers is the question.
import { workload } from '../lib/workload.js';

export { handleSummary } from '../lib/summary.js';
export const { options, hello, random_error, work } = workload('spike', (
  scaled, { BASE_RATE, RATE, RAMP, DURATION },
) => ({
  executor: 'ramping-arrival-rate',
  startRate: scaled(BASE_RATE),
  stages: [
    { target: scaled(BASE_RATE), duration: DURATION },
    { target: scaled(RATE), duration: RAMP },
    { target: scaled(RATE), duration: DURATION },
    { target: scaled(BASE_RATE), duration: RAMP },
    { target: scaled(BASE_RATE), duration: DURATION },
  ],
}));
