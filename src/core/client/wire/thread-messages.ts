import type { ErrorCode } from '../../kernel/errors.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { SharedRate } from '../../transfer/rate-limiter.ts';
import type { LaneItem } from './batches.ts';
import type { LaneSettings } from './lane.ts';

/** The start data of a thread. */
export interface ThreadStart {
  readonly settings: LaneSettings;
  readonly rate: SharedRate | undefined;
  /** Resumed, received and discarded bytes of this thread; counted there and read here. */
  readonly counters: BigInt64Array;
}

/** The index of each counter. */
export const counterOf = { resumed: 0, received: 1, discarded: 2 } as const;

/** To a thread. Undefined items mean that there are no more. */
export type ToThread = { readonly type: 'items'; readonly items: readonly LaneItem[] | undefined } | { readonly type: 'abort' };

/** An error in a message between threads, which cannot send classes. */
export interface SentError {
  readonly message: string;
  /** The code of a SkulkError. */
  readonly code?: ErrorCode;
  readonly hint?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The code of a system error. */
  readonly systemCode?: string | undefined;
  readonly needsOrdinaryClient?: true;
}

/** From a thread. After `ended` it sends nothing more and touches no file. */
export type FromThread =
  | { readonly type: 'want' }
  | { readonly type: 'part'; readonly number: number; readonly bytes: number }
  | { readonly type: 'verified'; readonly number: number; readonly sha256: Sha256 }
  | { readonly type: 'ended'; readonly error: SentError | undefined };
