// The same tests, with more rounds and larger data.
import './add-quantization.test.ts';
