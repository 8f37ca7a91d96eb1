// The same tests, with more rounds and larger data.
import './store-two-at-once.test.ts';
