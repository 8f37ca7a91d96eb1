// The same tests, with more rounds and larger data.
import './finding-each-other.test.ts';
