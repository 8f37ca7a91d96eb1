// The same, as often and as large as it takes.
import './endings.test.ts';
