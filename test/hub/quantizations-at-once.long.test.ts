// The same tests, with every test of the long form.
import './quantizations-at-once.test.ts';
