// The tests of the long form; `npm test` runs the others.
import './folding-disk.test.ts';
