// The same, as often and as large as it takes.
import './store-kills.test.ts';
