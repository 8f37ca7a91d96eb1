// The same tests, with more rounds.
import './only-own.property.test.ts';
