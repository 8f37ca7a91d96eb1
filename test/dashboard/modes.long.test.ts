// The same, with every way to leave.
import './modes.test.ts';
