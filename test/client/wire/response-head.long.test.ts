// The same, with many more texts.
import './response-head.unit.test.ts';
