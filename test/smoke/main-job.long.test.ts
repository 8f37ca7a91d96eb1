// The same, as often and as large as it takes.
import './main-job.test.ts';
