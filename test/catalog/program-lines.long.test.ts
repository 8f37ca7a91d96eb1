// The same tests, with more rounds and larger data.
import './program-lines.test.ts';
