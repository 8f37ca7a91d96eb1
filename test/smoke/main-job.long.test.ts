// The same tests, with more rounds and larger data.
import './main-job.test.ts';
