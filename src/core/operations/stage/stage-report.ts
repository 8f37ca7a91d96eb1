import type { ModelId } from '../../kernel/model-id.ts';
import type { CompanionRole } from '../../protocol/models.ts';

/** One staged copy; sizes in bytes. */
export interface StagedModel {
  readonly model_id: ModelId;
  /** Absolute. */
  readonly path: string;
  /** `cache`: it was here; `store`: over the network; `clone`: from this machine's store; `in-place`: the store's own directory. */
  readonly source: 'store' | 'clone' | 'in-place' | 'cache' | 'hub';
  readonly revision: string | null;
  readonly digest: string;
  /** What a program loads of it, in the directory: of several quantizations the best. Null without GGUF weights. */
  readonly gguf_file: string | null;
  /** The projector for it. */
  readonly mmproj_file: string | null;
  /** What names the quantization of `gguf_file` in `model:SELECTOR`. */
  readonly selector: string | null;
  readonly files: number;
  /** The files that were asked for, in the directory. */
  readonly file_paths: readonly string[];
  readonly bytes_total: number;
  /** Bytes that were moved, over the network or from disk to disk. */
  readonly bytes_transferred: number;
  readonly bytes_reused: number;
  readonly seconds: number;
  /**
   * How the content was verified where the store, the Python program's, does not say what it must be: every file by its id at Hugging Face,
   * or some only hashed as they arrived. Absent where a manifest vouches for it.
   */
  readonly verified?: 'hub' | 'arrival';
  /** What the model's card names, as far as it is here; absent when it names nothing. */
  readonly companions?: readonly StagedCompanion[];
}

/** Another model that was staged beside one. */
export interface StagedCompanion {
  readonly model_id: ModelId;
  readonly role: CompanionRole;
  readonly path: string;
  /** As of the model. */
  readonly gguf_file: string | null;
}

/** What staging one model would do. */
export interface PlannedModel {
  readonly model_id: ModelId;
  readonly path: string;
  readonly source: StagedModel['source'];
  readonly bytes_total: number;
  readonly bytes_to_transfer: number;
  readonly bytes_to_reuse: number;
  readonly free_bytes: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly action: 'reuse' | 'fetch' | 'resume' }[];
}

/** The staged copies, in the order asked for. */
export interface StageReport {
  readonly staged: readonly StagedModel[];
}

/** What would be done, by `--dry-run`. */
export interface StagePlanReport {
  readonly planned: readonly PlannedModel[];
}
