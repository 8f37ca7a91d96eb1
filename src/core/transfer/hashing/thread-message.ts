import type { ArrivalReply, ArrivalRequest } from '../arrival/arrival-message.ts';
import type { HashReply, HashRequest } from './hash-job.ts';

/** To a hashing thread: a job of the pool, or a part of a file that arrives. */
export type ThreadRequest = { readonly job: HashRequest } | { readonly arrival: ArrivalRequest };

/** From a hashing thread. */
export type ThreadReply = { readonly job: HashReply } | { readonly arrival: ArrivalReply };
