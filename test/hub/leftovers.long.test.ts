// The same tests, with more rounds and larger data.
import './leftovers.test.ts';
