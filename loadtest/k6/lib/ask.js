// One request, asked and judged: all that user actions have in common.
//
//     asked            all that were sent, also those that a test's end cuts off; k6's http_reqs has only what had
//                      an end
//     errors           no whole answer, or a status from 500 on: the failures of alerts/slo.yaml
//     http_req_failed  k6's own, of statuses that the action does not expect: surprises
import http from 'k6/http';
import { check } from 'k6';
import { Counter, Rate } from 'k6/metrics';

import { declared } from './judge.js';
import { note } from './notes.js';
import { trace } from './trace.js';

const asked = new Counter('asked');
const errors = new Rate('errors');

// k6's codes: 0 is none, 1400 to 1499 are answers with a 4xx; all else is a failure.
const isError = (answer) => answer.status === 0
  || (answer.error_code !== 0 && Math.floor(answer.error_code / 100) !== 14);

const traceOf = (header) => (header || '').split('-')[1];

// asker(action, number, settings): a function that asks once. `number` tells the scenarios of a test apart in
// trace ids.
export function asker(action, number, settings) {
  const { route, checks } = action;
  const statuses = action.statuses(settings);
  const url = `${settings.TARGET}${route}${action.query(settings)}`;
  const share = Number(settings.SAMPLED);
  const most = Number(settings.SLOWEST);
  const parameters = {
    redirects: 0,
    responseCallback: http.expectedStatuses(...statuses),
    timeout: settings.TIMEOUT,
    tags: { name: route, route },
  };
  const tags = { route };
  const checked = declared.includes(route) ? {} : {
    'status is expected': (got) => statuses.includes(got.status),
    'answer has our trace': (got) => got.status === 0
      || traceOf(got.headers.Traceresponse) === traceOf(got.request.headers.Traceparent[0]),
    ...checks,
  };
  return () => {
    const { id, parent } = trace(number, share);
    asked.add(1, tags);
    const answer = http.get(url, { ...parameters, headers: { traceparent: parent } });
    const failed = isError(answer);
    errors.add(failed, tags);
    check(answer, checked, tags);
    note(answer, route, id, { failed, expected: statuses.includes(answer.status) }, most);
  };
}
