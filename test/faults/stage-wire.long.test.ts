// The same tests, with more rounds and larger data.
import './stage-wire.test.ts';
