// The same tests, with more rounds and larger data.
import './registry.unit.test.ts';
