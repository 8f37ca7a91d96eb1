// The same tests, with every way to leave.
import './modes.test.ts';
