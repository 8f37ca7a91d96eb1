// The same tests, with more rounds and larger data.
import './kills.test.ts';
