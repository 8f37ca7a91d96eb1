// The same tests, with every test of the long form.
import './delete-everywhere.test.ts';
