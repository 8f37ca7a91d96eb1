// The tests of the long form; `npm test` runs the others.
import './quantizations-at-once.test.ts';
