// The same, as often and as large as it takes.
import './absent-disks.test.ts';
