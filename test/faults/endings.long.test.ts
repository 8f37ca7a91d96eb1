// The same tests, with more rounds and larger data.
import './endings.test.ts';
