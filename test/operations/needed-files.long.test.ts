// The same tests, with every test of the long form.
import './needed-files.test.ts';
