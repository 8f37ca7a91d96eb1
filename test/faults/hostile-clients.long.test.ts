// The tests of the long form; `npm test` runs the others.
import './hostile-clients.test.ts';
