// The same tests, with every test of the long form.
import './python-host.test.ts';
