// The same, as often and as large as it takes.
import './races-quantizations.test.ts';
