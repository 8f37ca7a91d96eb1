// The same, as often and as large as it takes.
import './store-two-at-once.test.ts';
