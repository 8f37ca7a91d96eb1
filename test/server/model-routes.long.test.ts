// The tests of the long form; `npm test` runs the others.
import './model-routes.test.ts';
