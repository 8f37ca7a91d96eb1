import { join } from 'node:path';
import { directoryName, type ModelId } from '../kernel/model-id.ts';

/** Where everything lies below a node's staging root (docs/on-disk-format.md, "On a node"). */
export interface StagingLayout {
  readonly root: string;
  /** Says that a directory is a staging root. */
  readonly mark: string;
  readonly incoming: string;
  readonly locks: string;
  readonly leases: string;
  readonly trash: string;
  /** What the store said of the staged models as a Hub. */
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
    hub: join(own, 'hub'),
  };
}

/** Where a model's staged copy lies. */
export const copyPath = ({ root }: StagingLayout, modelId: ModelId): string => join(root, directoryName(modelId));

/** The lock that whoever builds or removes a model's copy holds. */
export const copyLock = ({ locks }: StagingLayout, modelId: ModelId): string => join(locks, directoryName(modelId));

/** Where a model's copy is being built. */
export interface IncomingCopy {
  readonly path: string;
  /** Becomes the copy by one rename. */
  readonly files: string;
  readonly journal: string;
}

/** The place of a copy that is being built; it outlives the process, so that the next one goes on. */
export function incomingCopy({ incoming }: StagingLayout, modelId: ModelId): IncomingCopy {
  const path = join(incoming, directoryName(modelId));
  return { path, files: join(path, 'files'), journal: join(path, 'journal') };
}

/** The file that says what a copy holds. */
export const copyRecordName = '.skulk.json';
/** The name of such a file while it is written. */
export const recordDraft = /^\.\.skulk\.json\.[0-9a-f]{12}\.tmp$/;
/** The file whose date is the copy's last use; the Python Skulk reads it too. */
export const lastUsedName = '.last_used';
