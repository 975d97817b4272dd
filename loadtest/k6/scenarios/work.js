// Somebody asks for work that costs CPU time: how much is known, so a load has a price.
export const work = {
  route: '/demo/work',
  query: ({ WORK_CPU_MS }) => `?cpu_ms=${WORK_CPU_MS}`,
  statuses: () => [200],
  checks: { 'work is done': (got) => got.status !== 200 || got.body.length > 0 },
};
