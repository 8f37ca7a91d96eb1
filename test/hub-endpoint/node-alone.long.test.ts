// The tests of the long form; `npm test` runs the others.
import './node-alone.test.ts';
