// The tests of the long form; `npm test` runs the others.
import './finding-each-other.test.ts';
