// The tests of the long form; `npm test` runs the others.
import './audit-jobs.test.ts';
