// The same tests, with more rounds and larger data.
import './large.test.ts';
