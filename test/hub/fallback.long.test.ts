// The same, as often and as large as it takes.
import './fallback.test.ts';
