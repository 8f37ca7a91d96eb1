// The same tests, with every test of the long form.
import './library.test.ts';
