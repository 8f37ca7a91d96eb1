import type { ErrorCode } from '../../kernel/errors.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { SharedRate } from '../../transfer/rate-limiter.ts';
import type { LaneItem } from './batches.ts';
import type { LaneSettings } from './lane.ts';

/** What a thread is started with. */
export interface ThreadStart {
  readonly settings: LaneSettings;
  readonly rate: SharedRate | undefined;
  /** Bytes that were resumed, received and discarded so far, by this thread; counted there and read here. */
  readonly counters: BigInt64Array;
}

/** Where each counter stands. */
export const counterOf = { resumed: 0, received: 1, discarded: 2 } as const;

/** To a thread. Undefined items: there is no more. */
export type ToThread = { readonly type: 'items'; readonly items: readonly LaneItem[] | undefined } | { readonly type: 'abort' };

/** A failure on its way between threads, which keep no classes. */
export interface SentError {
  readonly message: string;
  /** Of a SkulkError. */
  readonly code?: ErrorCode;
  readonly hint?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Of a system error. */
  readonly systemCode?: string | undefined;
  readonly needsOrdinaryClient?: true;
}

/** From a thread. After `ended` it says nothing more and touches no file. */
export type FromThread =
  | { readonly type: 'want' }
  | { readonly type: 'part'; readonly number: number; readonly bytes: number }
  | { readonly type: 'verified'; readonly number: number; readonly sha256: Sha256 }
  | { readonly type: 'ended'; readonly error: SentError | undefined };
