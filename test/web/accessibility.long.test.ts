// The same tests, with more rounds and larger data.
import './accessibility.test.ts';
