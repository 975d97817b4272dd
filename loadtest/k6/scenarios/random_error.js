// Somebody uses what fails by design: its failures are expected, and judged by its objective alone.
export const random_error = {
  route: '/demo/random-error',
  query: () => '',
  statuses: ({ RANDOM_ERROR_STATUS }) => [200, Number(RANDOM_ERROR_STATUS)],
  checks: {},
};
