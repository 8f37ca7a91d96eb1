// The same tests, with many more texts.
import './response-head.unit.test.ts';
