// The same, with many more values.
import './decode.unit.test.ts';
