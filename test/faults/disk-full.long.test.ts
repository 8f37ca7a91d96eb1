// The same, as often and as large as it takes.
import './disk-full.test.ts';
