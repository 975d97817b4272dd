// What a run is judged by: the objectives of slo.json for the routes that it calls, and three things that hold always.
const slo = JSON.parse(open('../../slo.json'));

// What is declared: routes with faults that somebody armed. There k6 cannot tell a failure that was injected from one
// that was not, so their objectives are left to loadtest/run, which has the service's word for each.
export const declared = JSON.parse(__ENV.DECLARED || '[]');

// Of a metric whose figures are wanted by route: k6 keeps them only for what has a threshold. It always holds.
export const MEASURED = 'rate<=1';

// What a route may do: what its objective promises; or, where a test is too short to tell luck from that, what a person
// would notice at once.
const BOUNDS = {
  objective: ({ budget, latency }) => ({
    errors: budget.availability, quantile: latency.objective, seconds: latency.threshold,
  }),
  symptom: ({ symptom }) => ({ errors: symptom.error_ratio, quantile: 99, seconds: symptom.p99 }),
};

// thresholds(routes, { by, flawless, ...abort }): in k6's form, by `objective` or `symptom`; `flawless`: nothing at
// all may fail; `abort` is added to what makes the rest of a run worthless.
export function thresholds(routes, { by = 'objective', flawless = false, ...abort } = {}) {
  const judged = (threshold) => [{ threshold, ...abort }];
  const failed = judged(flawless ? 'rate==0' : 'rate<=0.001');
  const made = {
    checks: [{ threshold: flawless ? 'rate==1' : 'rate>=0.999' }],
    dropped_iterations: judged('count==0'),
  };
  if (declared.length === 0) {
    made.http_req_failed = failed;
  }
  for (const route of routes) {
    const { errors, quantile, seconds } = BOUNDS[by](slo.routes[route]);
    const isJudged = !declared.includes(route);
    made[`asked{route:${route}}`] = [{ threshold: 'count>0' }];
    made[`errors{route:${route}}`] = isJudged
      ? judged(flawless ? 'rate==0' : `rate<=${errors}`) : [{ threshold: MEASURED }];
    if (isJudged) {
      made[`http_req_duration{route:${route},status:200}`] = judged(`p(${quantile})<=${seconds * 1000}`);
    }
    if (isJudged && declared.length > 0) {
      made[`http_req_failed{route:${route}}`] = failed;
    }
  }
  return made;
}
