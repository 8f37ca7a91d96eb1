// The same tests, with more rounds and larger data.
import './stage-two-at-once.test.ts';
