// The same, with many more targets.
import './request-target.test.ts';
