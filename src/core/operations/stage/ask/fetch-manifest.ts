import type { Companion } from '../../../catalog/companions.ts';
import type { Deps } from '../../../connect/deps.ts';
import type { OpenedStore } from '../../../connect/open-store.ts';
import { patienceOf, whyOutOfReach } from '../../../connect/reach-store.ts';
import { hasSecond } from '../../../connect/second-store.ts';
import { patient, pause, type RetryPolicy, retrying } from '../../../kernel/flow/backoff.ts';
import type { ModelId, ModelRef } from '../../../kernel/model-id.ts';
import type { Sha256 } from '../../../kernel/sha256.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { ModelProblem } from '../../../protocol/models/entries.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import type { ManifestAnswer } from '../../../store/contract.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';

/** The store's data about a model. */
export interface FetchedManifest {
  /** The companions in the model's card. */
  readonly companions: readonly Companion[];
  /** The file that the card names for programs that load one file. */
  readonly pin?: string;
  /** Why no program can load it. */
  readonly problems?: readonly ModelProblem[];
  /** Whether the store has orders for this node. */
  readonly hasOrders: boolean;
  /** The store is still hashing the model, so it does not know yet whether an existing copy matches. */
  readonly isHashing?: true;
}

/** The files of a model: from a manifest, or from the list of a store without manifests. */
export type KnownModel =
  | { readonly manifest: Manifest; readonly model?: never }
  | { readonly model: ListedModel; readonly manifest?: never };

/** Before the first byte, a user waits for a response: about three seconds, enough for a server that restarts. */
const askPolicy: RetryPolicy = { ...patient, attempts: 6 };

/**
 * Fetches the manifest of a model, or its list; waits while the store is hashing it. @throws SkulkError MODEL_NOT_FOUND,
 * STORE_UNREACHABLE
 */
export async function fetchManifest(deps: Deps, { store, url }: OpenedStore, { modelId }: ModelRef): Promise<FetchedManifest & KnownModel> {
  const { world } = deps;
  // Another store can answer instead of one that accepts connections and says nothing.
  const policy = hasSecond(deps) ? { ...askPolicy, attempts: 2 } : askPolicy;
  const { isTransient } = await import('../../../client/http/transient.ts');
  let announced = false;
  for (;;) {
    const answer: ManifestAnswer = await retrying(
      (attempt) => {
        if (attempt === 2) world.emit({ type: 'waiting', message: `the store at ${store.location} does not answer yet; trying again` });
        return store.manifest(modelId, { signal: world.signal });
      },
      { policy, signal: world.signal, isTransient: (error) => isTransient(error) && url !== undefined },
    );
    if (answer.state === 'ready' || answer.state === 'listed') return { hasOrders: false, ...answer };
    if (answer.state === 'unchanged') throw saidUnchanged(modelId);
    if (!announced) world.emit({ type: 'waiting', message: `the store is hashing ${modelId} for the first time` });
    announced = true;
    await pause(answer.retryAfterMs, world.signal);
  }
}

/**
 * Fetches the manifest of a model if it differs from that of the existing copy, else returns undefined. Because there is a copy, an
 * unreachable store is given up soon.
 * @throws SkulkError MODEL_NOT_FOUND, STORE_UNREACHABLE
 */
export async function fetchIfChanged(
  deps: Deps,
  opened: OpenedStore,
  { modelId }: ModelRef,
  copy: Pick<LocalCopy, 'companions' | 'pin'> & { readonly knownDigest: Sha256 | undefined },
): Promise<FetchedManifest & (KnownModel | { readonly manifest: undefined; readonly model?: never })> {
  const failure = await whyOutOfReach(deps, opened);
  if (failure !== undefined) throw failure;
  const { world } = deps;
  const { knownDigest, companions: own, pin: ownPin } = copy;
  const condition = knownDigest === undefined ? {} : { knownDigest };
  const answer = await opened.store.manifest(modelId, { ...condition, signal: world.signal, silenceMs: patienceOf(world).answerMs });
  // While the store is hashing, the existing copy counts as current.
  if (answer.state === 'hashing')
    return { manifest: undefined, companions: own, ...(ownPin !== undefined && { pin: ownPin }), hasOrders: false, isHashing: true };
  if (answer.state === 'listed') return { hasOrders: false, ...answer };
  const { companions, pin, problems, hasOrders = false } = answer;
  const said = { companions, ...(pin !== undefined && { pin }), ...(problems !== undefined && { problems }), hasOrders };
  if (answer.state === 'unchanged' || answer.manifest.digest === knownDigest) return { manifest: undefined, ...said };
  return { manifest: answer.manifest, ...said };
}

const saidUnchanged = (modelId: ModelId): Error => new Error(`the store reported an unknown manifest of ${modelId} as unchanged`);
