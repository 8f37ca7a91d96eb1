// The same tests, with more lists.
import './select-files.unit.test.ts';
