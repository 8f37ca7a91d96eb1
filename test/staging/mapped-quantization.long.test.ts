// The same, at every write.
import './mapped-quantization.test.ts';
