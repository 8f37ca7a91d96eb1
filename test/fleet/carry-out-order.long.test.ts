// The tests of the long form; `npm test` runs the others.
import './carry-out-order.test.ts';
