// The same, with every test of the long form.
import './upload-bounds.test.ts';
