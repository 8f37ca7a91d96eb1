// The same, as often and as large as it takes.
import './kills.test.ts';
