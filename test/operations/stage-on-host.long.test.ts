// The same tests, with every test of the long form.
import './stage-on-host.test.ts';
