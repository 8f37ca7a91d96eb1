// The same, as often and as large as it takes.
import './upload.test.ts';
