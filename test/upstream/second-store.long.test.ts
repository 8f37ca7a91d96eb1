// The same tests, with every test of the long form.
import './second-store.test.ts';
