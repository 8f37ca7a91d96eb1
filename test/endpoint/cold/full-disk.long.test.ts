// The tests of the long form; `npm test` runs the others.
import './full-disk.test.ts';
