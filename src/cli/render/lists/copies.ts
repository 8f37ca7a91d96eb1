import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import type { StagingView } from '../../../core/protocol/staging.ts';

/** The known facts of a copy, or of a quantization in it, on any machine. */
export type CopyFacts = Pick<ReportedCopy, 'size_bytes' | 'last_used' | 'in_use' | 'over_budget'> & {
  /** The digest of a quantization's own files; absent if the node does not report it. */
  readonly digest?: string | null;
};

/** A copy of this machine. */
export type OwnCopy = StagingView['models'][number];
