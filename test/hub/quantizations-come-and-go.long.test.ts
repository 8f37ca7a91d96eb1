// The tests of the long form; `npm test` runs the others.
import './quantizations-come-and-go.test.ts';
