// The same, as often and as large as it takes.
import './accessibility.test.ts';
