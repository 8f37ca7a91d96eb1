// The same, as often and as large as it takes.
import './stage-two-at-once.test.ts';
