// The same tests, with more rounds and larger data.
import './serve-kill.test.ts';
