// The same, as often and as large as it takes.
import './scale.test.ts';
