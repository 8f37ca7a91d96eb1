// The same tests, with more rounds and larger data.
import './races-quantizations.test.ts';
