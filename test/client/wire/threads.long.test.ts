// The same tests, with more rounds and larger data.
import './threads.test.ts';
