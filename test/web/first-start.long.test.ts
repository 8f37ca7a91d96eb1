// The same tests, with every test of the long form.
import './first-start.test.ts';
