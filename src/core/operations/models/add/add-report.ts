import type { ContentProblem } from '../../../catalog/contents/find-content-problems.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { Adopted } from '../../../protocol/models/adoption.ts';
import type { RegistryEntry } from '../../../protocol/models/entries.ts';
import type { Scan } from '../../../store/ingest/scan-directory.ts';

/** The input of `skulk add`. */
export interface AddRequest {
  /** A directory or a file, relative to the working directory. */
  readonly path: string;
  readonly modelId: ModelId;
  readonly revision?: string | undefined;
  /** Renames instead of copying; across disks, copies and then deletes. */
  readonly move: boolean;
  readonly force: boolean;
  /** Rejects an invalid model before anything is copied or sent. */
  readonly strict?: boolean;
  /** The file of its card, relative to the working directory. */
  readonly card?: string | undefined;
}

/** The registry's entry, and what was done. */
export interface AddReport extends RegistryEntry {
  readonly outcome: Adopted['outcome'];
  readonly digest: string;
  readonly bytes_copied: number;
  readonly seconds: number;
  readonly skipped: Scan['skipped'];
  /** Content that no program can load. */
  readonly problems: readonly ContentProblem[];
}
