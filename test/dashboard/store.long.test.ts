// The same tests, with every test of the long form.
import './store.test.ts';
