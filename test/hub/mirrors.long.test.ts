// The same tests, with more rounds and larger data.
import './mirrors.test.ts';
