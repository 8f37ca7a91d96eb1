// The same tests, with many more values.
import './decode.unit.test.ts';
