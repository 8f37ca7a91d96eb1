import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';

/** All paths on the store host's disk (docs/on-disk-format.md, "On the store host"). */
export interface StoreLayout {
  readonly root: string;
  readonly registry: string;
  /** The store's id, which stays with its disk. */
  readonly identity: string;
  readonly manifests: string;
  /** The `stat` fingerprint of each hashed file. */
  readonly seen: string;
  readonly incoming: string;
  readonly trash: string;
  /** Unfinished downloads, by model. They outlive the process. */
  readonly downloads: string;
  /** Files that Hub clients requested, by model, during their download. They outlive the process. */
  readonly onDemand: string;
  /** The files of each model that were fetched for Hub clients. */
  readonly fetched: string;
  /** Files from other machines, by model and digest. They outlive the process. */
  readonly uploads: string;
  /** Metadata of GGUF files; a cache. */
  readonly facts: string;
  /** A registry's data about GGUF files; a cache. */
  readonly headers: string;
  /** Why models cannot be loaded, by their files; a cache. */
  readonly problems: string;
  /** Download jobs and their results, by model. */
  readonly jobs: string;
  /** Variants of models: the requests and their results, and the directories of running engines. */
  readonly optimizations: string;
  /** Changes that have been decided and must be finished. */
  readonly intents: string;
  /** The nodes and their orders. */
  readonly fleet: string;
  /** Descriptions of models for BitTorrent, by model and digest. */
  readonly torrents: string;
  /** Links to the files that are sent to peers; removed when the server starts and ends. */
  readonly seeding: string;
  readonly lock: string;
  /** Hashes of the named tokens, and the lock for changing them. */
  readonly tokens: string;
  readonly tokensLock: string;
  /** The changes of the store, the older ones of them, and the lock for writing them. */
  readonly audit: string;
  readonly olderAudit: string;
  readonly auditLock: string;
  /** The rights of the LAN and other settings of the store, and the lock for changing them. */
  readonly policy: string;
  readonly policyLock: string;
}

/** The layout below a store's root. */
export function storeLayout(root: string): StoreLayout {
  const own = join(root, '.skulk', 'v1');
  return {
    root,
    registry: join(root, 'registry.json'),
    identity: join(own, 'store.json'),
    manifests: join(own, 'manifests'),
    seen: join(own, 'seen'),
    incoming: join(own, 'incoming'),
    trash: join(own, 'trash'),
    downloads: join(own, 'downloads'),
    onDemand: join(own, 'on-demand'),
    fetched: join(own, 'fetched'),
    uploads: join(own, 'uploads'),
    facts: join(own, 'facts'),
    headers: join(own, 'headers'),
    problems: join(own, 'problems'),
    jobs: join(own, 'jobs'),
    optimizations: join(own, 'optimizations'),
    intents: join(own, 'intents'),
    fleet: join(own, 'fleet'),
    torrents: join(own, 'torrents'),
    seeding: join(own, 'seeding'),
    lock: join(own, 'lock'),
    tokens: join(own, 'tokens.json'),
    tokensLock: join(own, 'tokens-lock'),
    audit: join(own, 'audit.ndjson'),
    olderAudit: join(own, 'audit.1.ndjson'),
    auditLock: join(own, 'audit-lock'),
    policy: join(own, 'policy.yaml'),
    policyLock: join(own, 'policy-lock'),
  };
}

/** The file of a model in one of the layout's directories of JSON files. */
export const jsonFileOf = (directory: string, modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);

/**
 * Validates names inside `incoming/`: the model's directory name, a dot, and a token.
 * @throws SkulkError BAD_PATH
 */
export function incomingPath({ incoming }: StoreLayout, name: string, modelId: ModelId): string {
  const prefix = `${directoryName(modelId)}.`;
  if (name.startsWith(prefix) && /^[0-9a-f]{8,64}$/.test(name.slice(prefix.length))) return join(incoming, name);
  throw new SkulkError('BAD_PATH', `${JSON.stringify(name.slice(0, 200))} is not a directory of incoming/ for ${modelId}`, {
    hint: 'use a directory that `skulk add` created there',
  });
}
