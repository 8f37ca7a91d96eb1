// The same, as often and as large as it takes.
import './schedule.test.ts';
