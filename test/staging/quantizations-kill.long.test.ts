// The same tests, at every write.
import './quantizations-kill.test.ts';
