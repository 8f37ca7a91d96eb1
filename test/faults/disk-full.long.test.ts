// The same tests, with more rounds and larger data.
import './disk-full.test.ts';
