import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';

/** Where everything lies on the store host's disk (docs/on-disk-format.md, "On the store host"). */
export interface StoreLayout {
  readonly root: string;
  readonly registry: string;
  /** The store's id, which goes with its disk. */
  readonly identity: string;
  readonly manifests: string;
  /** What each hashed file looked like to `stat`. */
  readonly seen: string;
  readonly incoming: string;
  readonly trash: string;
  /** Files that are being downloaded, by model; they outlive the process. */
  readonly downloads: string;
  /** Files that Hub clients asked for, by model, while they come; they outlive the process. */
  readonly onDemand: string;
  /** What of each model was fetched because Hub clients asked for it. */
  readonly fetched: string;
  /** Files that come from other machines, by model and digest; they outlive the process. */
  readonly uploads: string;
  /** What the metadata of GGUF files said; a cache. */
  readonly facts: string;
  /** What a registry says of GGUF files; a cache. */
  readonly headers: string;
  /** What was to be downloaded and what became of it, by model. */
  readonly jobs: string;
  /** The variants that are made of models: what was asked for and what became of it, and where engines work. */
  readonly optimizations: string;
  /** Changes that are decided and must be carried out to their end. */
  readonly intents: string;
  /** The nodes, and what was ordered of them. */
  readonly fleet: string;
  readonly lock: string;
  /** Hashes of the named tokens, and the lock under which they are changed. */
  readonly tokens: string;
  readonly tokensLock: string;
  /** What the LAN may do, and other settings of the store; the lock as above. */
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
    jobs: join(own, 'jobs'),
    optimizations: join(own, 'optimizations'),
    intents: join(own, 'intents'),
    fleet: join(own, 'fleet'),
    lock: join(own, 'lock'),
    tokens: join(own, 'tokens.json'),
    tokensLock: join(own, 'tokens-lock'),
    policy: join(own, 'policy.yaml'),
    policyLock: join(own, 'policy-lock'),
  };
}

/** The file of a model in one of the layout's directories of JSON files. */
export const jsonFileOf = (directory: string, modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);

/**
 * The gate for names inside `incoming/`: the model's directory name, a dot, and a token.
 * @throws SkulkError BAD_PATH
 */
export function incomingPath({ incoming }: StoreLayout, name: string, modelId: ModelId): string {
  const prefix = `${directoryName(modelId)}.`;
  if (name.startsWith(prefix) && /^[0-9a-f]{8,64}$/.test(name.slice(prefix.length))) return join(incoming, name);
  throw new SkulkError('BAD_PATH', `${JSON.stringify(name.slice(0, 200))} is not a directory of incoming/ for ${modelId}`, {
    hint: 'use a directory that `skulk add` created there',
  });
}
