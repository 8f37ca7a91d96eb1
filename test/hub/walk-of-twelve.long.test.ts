// The tests of the long form; `npm test` runs the others.
import './walk-of-twelve.test.ts';
