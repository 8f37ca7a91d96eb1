// The same tests, with more rounds and larger data.
import './scale.test.ts';
