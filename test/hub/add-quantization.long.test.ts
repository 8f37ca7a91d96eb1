// The same, as often and as large as it takes.
import './add-quantization.test.ts';
