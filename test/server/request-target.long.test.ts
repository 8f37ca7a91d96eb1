// The same tests, with many more targets.
import './request-target.test.ts';
