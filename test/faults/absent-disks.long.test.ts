// The same tests, with more rounds and larger data.
import './absent-disks.test.ts';
