// The tests of the long form; `npm test` runs the others.
import './names-of-this-machine.test.ts';
