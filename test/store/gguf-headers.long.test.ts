// The same, with the template that takes the whole limit of time.
import './gguf-headers.test.ts';
