// The same tests, with more rounds and larger data.
import './fallback.test.ts';
