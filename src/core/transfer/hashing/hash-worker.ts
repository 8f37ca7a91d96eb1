import { parentPort } from 'node:worker_threads';
import { hashArrivals } from '../arrival/hash-arrivals.ts';
import { doHashJob } from './do-hash-job.ts';
import type { ThreadReply, ThreadRequest } from './thread-message.ts';

const reply = (message: ThreadReply): void => parentPort?.postMessage(message);

parentPort?.on('message', (request: ThreadRequest) => {
  if ('job' in request) doHashJob(request.job, (job) => reply({ job }));
  else hashArrivals(request.arrival, (arrival) => reply({ arrival }));
});
