// What k6 leaves in RESULTS: summary.json, all that it measured; summary.xml, JUnit's form, a case for each threshold;
// and summary.txt, for people. Its thresholds are its verdict; loadtest/run adds what only the service can know.
import { MEASURED } from './judge.js';

const RESULTS = __ENV.RESULTS || '.';

// 'http_req_duration{route:/}' and 'p(99)<=100', and whether it held.
function judged(metrics) {
  return Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.entries(thresholds).filter(([threshold]) => threshold !== MEASURED)
      .map(([threshold, { ok }]) => ({ metric, threshold, ok })));
}

const digits = (value) => (Number.isInteger(value) ? `${value}` : value.toPrecision(4));
const values = (metric) => Object.entries(metric.values).map(([name, value]) => `${name} ${digits(value)}`).join('  ');

function asText({ metrics }) {
  const rows = judged(metrics)
    .map(({ metric, threshold, ok }) => `  ${ok ? 'held  ' : 'BROKEN'}  ${metric}: ${threshold}`);
  const names = Object.keys(metrics).sort();
  const width = Math.max(...names.map((name) => name.length));
  const measured = names.map((name) => `  ${name.padEnd(width)}  ${values(metrics[name])}`);
  return ['thresholds', ...rows, '', 'measured (times in milliseconds)', ...measured, ''].join('\n');
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);

function asJUnit({ metrics }) {
  const cases = judged(metrics);
  const rows = cases.map(({ metric, threshold, ok }) => {
    const head = `    <testcase classname="k6" name="${escaped(`${metric}: ${threshold}`)}"`;
    return ok ? `${head}/>`
      : `${head}>\n      <failure message="${escaped(values(metrics[metric]))}"/>\n    </testcase>`;
  });
  const failures = cases.filter(({ ok }) => !ok).length;
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>',
    `  <testsuite name="k6" tests="${cases.length}" failures="${failures}">`, ...rows,
    '  </testsuite>', '</testsuites>', '',
  ].join('\n');
}

// Where there is no folder that anybody could look into, RESULTS is `-`: one line on stdout.
export function handleSummary(data) {
  if (RESULTS === '-') {
    return { stdout: `summary ${JSON.stringify(data)}\n` };
  }
  return {
    [`${RESULTS}/summary.json`]: `${JSON.stringify(data, null, 1)}\n`,
    [`${RESULTS}/summary.xml`]: asJUnit(data),
    [`${RESULTS}/summary.txt`]: asText(data),
  };
}
