// The user actions, by the name that MIX gives them. Whoever adds one adds a row.
import { hello } from './hello.js';
import { random_error } from './random_error.js';
import { work } from './work.js';

export const actions = { hello, random_error, work };
