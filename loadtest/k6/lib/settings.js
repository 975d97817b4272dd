// What a run is told: environment variables, with the defaults of settings.json for the workload.
//
// loadtest/run has checked them, with words that a person can use; here they are only read. By itself, as `k6 run` or
// in a TestRun, a script has the same defaults.
const table = JSON.parse(open('../../settings.json'));

// settings(workload): all that the workload has, by name, as text.
export function settings(workload) {
  const own = table.workloads[workload];
  return Object.fromEntries(Object.keys(table.settings)
    .map((name) => [name, __ENV[name] || own[name] || table.settings[name].default])
    .filter(([, value]) => value !== undefined));
}

// Whether a workload is too short to be judged by objectives.
export const bySymptom = (workload) => table.workloads[workload].by === 'symptom';

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600 };

// seconds('1m30s') is 90.
export function seconds(text) {
  const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`${text} is no duration: 500ms, 30s, 1m30s, 1h`);
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * SECONDS[unit], 0);
}

// shares('hello:6,work:2') is { hello: 0.75, work: 0.25 }.
export function shares(text) {
  const rows = text.split(',').map((row) => row.split(':'));
  const whole = rows.reduce((sum, [, weight]) => sum + Number(weight), 0);
  return Object.fromEntries(rows.filter(([, weight]) => Number(weight) > 0)
    .map(([name, weight]) => [name, Number(weight) / whole]));
}
