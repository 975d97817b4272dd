// Somebody says hello, and may have to wait for the answer.
export const hello = {
  route: '/demo/hello',
  query: ({ DELAY_MS }) => (Number(DELAY_MS) > 0 ? `?delay=${DELAY_MS}` : ''),
  statuses: () => [200],
  checks: { 'is greeted': (got) => got.status !== 200 || got.body.length > 0 },
};
