// The same, with more rounds.
import './moved-copy.test.ts';
