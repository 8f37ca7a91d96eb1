// The same tests, at every write.
import './mapped-quantization.test.ts';
