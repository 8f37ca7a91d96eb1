// The tests of the long form; `npm test` runs the others.
import './taken-for-own.test.ts';
