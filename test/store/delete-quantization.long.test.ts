// The tests of the long form; `npm test` runs the others.
import './delete-quantization.test.ts';
