import { join } from 'node:path';
import { directoryName, type ModelId } from '../kernel/model-id.ts';

/** All paths below a node's staging root (docs/on-disk-format.md, "On a node"). */
export interface StagingLayout {
  readonly root: string;
  /** The file that marks a directory as a staging root. */
  readonly mark: string;
  readonly incoming: string;
  readonly locks: string;
  readonly leases: string;
  readonly trash: string;
  /** Links to the files that are being sent to other nodes; removed when the server starts and ends. */
  readonly seeding: string;
  /** What the store's Hub interface answered about the staged models. */
  readonly hub: string;
}

/** The layout below a staging root. */
export function stagingLayout(root: string): StagingLayout {
  const own = join(root, '.skulk', 'v1');
  return {
    root,
    mark: join(own, 'staging.json'),
    incoming: join(own, 'incoming'),
    locks: join(own, 'locks'),
    leases: join(own, 'leases'),
    trash: join(own, 'trash'),
    seeding: join(own, 'seeding'),
    hub: join(own, 'hub'),
  };
}

/** The path of a model's staged copy. */
export const copyPath = ({ root }: StagingLayout, modelId: ModelId): string => join(root, directoryName(modelId));

/** The lock for building or removing a model's copy. */
export const copyLock = ({ locks }: StagingLayout, modelId: ModelId): string => join(locks, directoryName(modelId));

/** The directory in which a model's copy is built. */
export interface IncomingCopy {
  readonly path: string;
  /** Becomes the copy with one rename. */
  readonly files: string;
  readonly journal: string;
}

/** The directory of a copy that is being built. It outlives the process, so that the next one can continue. */
export function incomingCopy({ incoming }: StagingLayout, modelId: ModelId): IncomingCopy {
  const path = join(incoming, directoryName(modelId));
  return { path, files: join(path, 'files'), journal: join(path, 'journal') };
}

/** The file with a copy's record. */
export const copyRecordName = '.skulk.json';
/** The name of a record while it is being written. */
export const recordDraft = /^\.\.skulk\.json\.[0-9a-f]{12}\.tmp$/;
/** The file whose date is the copy's last use. The Python Skulk reads it too. */
export const lastUsedName = '.last_used';
