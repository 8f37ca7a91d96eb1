// The same, as often and as large as it takes.
import './stage-kill.test.ts';
