// The same, as often and as large as it takes.
import './stage-wire.test.ts';
