// What all workloads have in common: a scenario for each user action of the mix, at its share of the rate.
//
// A workload module says how its rate goes (the executor), and what ends it early; it exports what is made here.
import { actions } from '../scenarios/all.js';
import { asker } from './ask.js';
import { thresholds } from './judge.js';
import { bySymptom, seconds, settings as read, shares } from './settings.js';
import { tags, userAgent } from './trace.js';

const PER = 60;        // k6 takes whole numbers: a rate is one of iterations a minute
const QUEUE = 2;       // seconds of the rate that may be in flight, unless VUS says otherwise
const FEWEST_VUS = 10; // of a scenario

// workload(name, shape, abort): `shape` makes k6's executor, from a function that turns a rate a second into the
// scenario's, and the settings. `abort` ends the test early, in k6's words: { abortOnFail, delayAbortEval }.
export function workload(name, shape, abort = {}) {
  const settings = read(name);
  const mix = shares(settings.MIX);
  const names = Object.keys(actions);
  const scenarios = {};
  const asks = {};
  for (const action of names) {
    asks[action] = asker(actions[action], names.indexOf(action), settings);
  }
  for (const [action, share] of Object.entries(mix)) {
    const vus = Math.max(FEWEST_VUS, Math.ceil(share * (Number(settings.VUS) || Number(settings.RATE) * QUEUE)));
    scenarios[action] = {
      exec: action,
      timeUnit: `${PER}s`,
      preAllocatedVUs: vus,
      maxVUs: vus,
      gracefulStop: `${seconds(settings.TIMEOUT) + 1}s`, // what is in flight at the end is waited for
      ...shape((rate) => Math.round(Number(rate) * share * PER), settings),
    };
  }
  const options = {
    scenarios,
    thresholds: thresholds(
      Object.keys(mix).map((action) => actions[action].route),
      { by: bySymptom(name) ? 'symptom' : 'objective', ...abort },
    ),
    tags,
    userAgent,
    noConnectionReuse: __ENV.FRESH === 'yes',
    summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
  };
  return { ...asks, options };
}

// Up within `ramp`, along for `duration`, down again.
export const plateau = (target, ramp, duration) => [
  { target, duration: ramp }, { target, duration }, { target: 0, duration: ramp },
];
