// The same, with every test of the long form.
import './hostile-clients.test.ts';
