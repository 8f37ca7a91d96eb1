// The same, as often and as large as it takes.
import './finding-each-other.test.ts';
