// The same with as many files as there may be.
import './event-loop.test.ts';
