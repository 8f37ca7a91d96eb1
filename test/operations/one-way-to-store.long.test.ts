// The tests of the long form; `npm test` runs the others.
import './one-way-to-store.test.ts';
