// The same tests, with more rounds and larger data.
import './host-files.test.ts';
