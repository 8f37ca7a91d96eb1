// The same tests, with more rounds and larger data.
import './store-kills.test.ts';
