// The same, as often and as large as it takes.
import './registry.unit.test.ts';
