// The same, at every write.
import './quantizations-kill.test.ts';
