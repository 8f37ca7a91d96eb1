// The same tests, with more rounds and larger data.
import './run.test.ts';
