// The same, as often as it takes.
import './only-own.property.test.ts';
