import type { ReportedCopy } from '../../../core/protocol/models.ts';
import type { StagingView } from '../../../core/protocol/staging.ts';

/** What is known of a copy, or of a quantization in it, on whichever machine. */
export type CopyFacts = Pick<ReportedCopy, 'size_bytes' | 'last_used' | 'in_use' | 'over_budget'> & {
  /** Of a quantization, what its own files hold; absent where the node does not say it. */
  readonly digest?: string | null;
};

/** A copy of this machine. */
export type OwnCopy = StagingView['models'][number];
