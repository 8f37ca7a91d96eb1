// The tests of the long form; `npm test` runs the others.
import './only-own.test.ts';
