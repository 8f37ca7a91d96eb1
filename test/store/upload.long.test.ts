// The same tests, with more rounds and larger data.
import './upload.test.ts';
