import type { ModelId } from '../../kernel/model-id.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import type { CompanionRole } from '../../protocol/models/shown-model.ts';

/** One staged copy; sizes in bytes. */
export interface StagedModel {
  readonly model_id: ModelId;
  /** Absolute. */
  readonly path: string;
  /** `cache`: it was here; `store`: over the network; `swarm`: the same, and from other nodes at the same time; `clone`: from this machine's store; `in-place`: the store's own directory. */
  readonly source: 'store' | 'swarm' | 'clone' | 'in-place' | 'cache' | 'hub';
  readonly revision: string | null;
  readonly digest: string;
  /** The file that a program loads, in the directory: the best of several quantizations. Null without GGUF weights. */
  readonly gguf_file: string | null;
  /** The projector for it. */
  readonly mmproj_file: string | null;
  /** The quantization of `gguf_file`, for `model:SELECTOR`. */
  readonly selector: string | null;
  readonly files: number;
  /** The requested files, in the directory. */
  readonly file_paths: readonly string[];
  readonly bytes_total: number;
  /** Bytes that were copied, over the network or from disk to disk. */
  readonly bytes_transferred: number;
  /** Those of them that the store sent to this node alone; only if `source` is `swarm`. */
  readonly bytes_by_wire?: number;
  /** Only if `source` is `swarm`. */
  readonly swarm?: {
    /** The largest number of nodes that took the model at the same time, this one included. */
    readonly members: number;
    /** What the store had sent to all of them when this node asked last. */
    readonly host_sent_bytes: number;
  };
  readonly bytes_reused: number;
  readonly seconds: number;
  /**
   * Whether a store compared the copy with its content now. False with `--offline`, if the store could not be asked, is still hashing the
   * model or does not exist.
   */
  readonly checked: boolean;
  /**
   * How the content was verified if the store, the Python program's, has no digests: every file by its id at Hugging Face, or some only
   * hashed on arrival. Absent if it was verified by a manifest.
   */
  readonly verified?: 'hub' | 'arrival';
  /** Why no program can load it; absent if nothing is known that prevents it. */
  readonly problems?: readonly ModelProblem[];
  /** The companions in the model's card that are here; absent if it has none. */
  readonly companions?: readonly StagedCompanion[];
}

/** Another model that was staged together with one. */
export interface StagedCompanion {
  readonly model_id: ModelId;
  readonly role: CompanionRole;
  readonly path: string;
  /** As for the model. */
  readonly gguf_file: string | null;
}

/** The plan for staging one model. */
export interface PlannedModel {
  readonly model_id: ModelId;
  readonly path: string;
  readonly source: StagedModel['source'];
  /** As in the report of the copy. */
  readonly gguf_file: string | null;
  readonly mmproj_file: string | null;
  readonly selector: string | null;
  readonly bytes_total: number;
  readonly bytes_to_transfer: number;
  readonly bytes_to_reuse: number;
  /** The space that the copy takes on the disk; 0 for a clone, which may share its blocks with the store. */
  readonly bytes_to_allocate: number;
  readonly free_bytes: number;
  /** How much more must be free, also for the models before it in the plan. */
  readonly bytes_missing: number;
  /** A companion without which the model is staged all the same. */
  readonly optional?: true;
  readonly files: readonly { readonly path: string; readonly size: number; readonly action: 'reuse' | 'fetch' | 'resume' }[];
}

/** The staged copies, in the requested order. */
export interface StageReport {
  readonly staged: readonly StagedModel[];
}

/** The plan of `--dry-run`. */
export interface StagePlanReport {
  readonly planned: readonly PlannedModel[];
  /** Why the stage would fail, if the disk has no room for it. */
  readonly no_space: { readonly message: string; readonly hint: string | null } | null;
}
