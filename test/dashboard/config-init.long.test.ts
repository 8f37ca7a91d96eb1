// The same tests, with every test of the long form.
import './config-init.test.ts';
