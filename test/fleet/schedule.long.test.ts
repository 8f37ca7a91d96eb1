// The same tests, with more rounds and larger data.
import './schedule.test.ts';
