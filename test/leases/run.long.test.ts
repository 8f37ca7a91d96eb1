// The same, as often and as large as it takes.
import './run.test.ts';
