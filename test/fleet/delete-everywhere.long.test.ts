// The tests of the long form; `npm test` runs the others.
import './delete-everywhere.test.ts';
