// The same, as often and as large as it takes.
import './host-files.test.ts';
