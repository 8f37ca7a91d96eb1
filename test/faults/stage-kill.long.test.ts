// The same tests, with more rounds and larger data.
import './stage-kill.test.ts';
