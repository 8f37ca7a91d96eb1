// The tests of the long form; `npm test` runs the others.
import './stage-on-host.test.ts';
