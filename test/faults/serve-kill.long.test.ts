// The same, as often and as large as it takes.
import './serve-kill.test.ts';
