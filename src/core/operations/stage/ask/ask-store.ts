import type { Deps } from '../../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../../connect/open-store.ts';
import { rememberSilence } from '../../../connect/reach-store.ts';
import { readFromSecond, refuseSilent } from '../../../connect/second-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { ModelRef } from '../../../kernel/model-id.ts';
import { formatAge } from '../../../kernel/units.ts';
import { isSameGroup } from '../../../staging/groups/copy-groups.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import type { ModelStage } from '../model-stage.ts';
import { findHere, mayLackDraft } from '../wanted-part.ts';
import { askOpened } from './ask-opened.ts';
import type { DownloadOptions } from './request-download.ts';
import { nothingOpen, type StoreAnswer, type UsableCopy } from './store-answer.ts';

/** Options for asking the store. */
export interface AskOptions extends DownloadOptions {
  /** Use Hugging Face if the store is unreachable. */
  readonly direct: boolean;
}

/**
 * Asks the store for a model's manifest, and lets it download missing parts. If there is a usable copy here, an unreachable store is only
 * a warning.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_UNREACHABLE, STORE_NOT_CONFIGURED
 */
export async function askStore(
  { deps, ref, card, options: { needs } }: ModelStage,
  local: LocalCopy | undefined,
  { direct, ...options }: AskOptions,
): Promise<StoreAnswer> {
  // Only the store knows whether the same content has another revision by now.
  const part = local === undefined ? undefined : findHere(ref, local, card?.ggufFile, needs);
  const companions = card?.companions ?? local?.companions ?? [];
  const isUsable = local !== undefined && part !== undefined && !mayLackDraft(ref, part, { needs, companions });
  const copy = isUsable ? { ...local, part } : undefined;
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(deps);
    if (copy === undefined) await refuseSilent(deps, opened);
    return await askOpened(deps, opened, ref, { copy, ownPin: card?.ggufFile, ...options });
  } catch (error) {
    await opened?.[Symbol.asyncDispose]();
    if (deps.world.signal.aborted || !(error instanceof SkulkError)) throw error;
    if (copy === undefined) {
      const ask = (second: OpenedStore) => askSecond(deps, second, ref, { ownPin: card?.ggufFile, ...options });
      const { value } = await readFromSecond(deps, error, ask).catch((failure: unknown): { readonly value: StoreAnswer } => {
        if (!mayGoDirect(deps, error, direct)) throw failure;
        return { value: { state: 'direct', ...nothingOpen } };
      });
      return value;
    }
    if (isRefusal(error))
      throw new SkulkError(error.code, error.message, {
        hint: `${error.hint}; to use the copy on this machine: --offline`,
        cause: error.cause,
      });
    if (!isOutOfReach(error)) throw error;
    if (opened !== undefined) rememberSilence(deps, opened, error);
    return useWithoutStore(deps, copy, error);
  }
}

/** The answer of a second store. It downloads nothing, and knows nothing about orders for this node. */
async function askSecond(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  options: { readonly ownPin: string | undefined } & DownloadOptions,
): Promise<StoreAnswer> {
  try {
    const answer = await askOpened(deps, opened, ref, { copy: undefined, ...options, isReadOnly: true });
    return answer.state === 'direct' ? answer : { ...answer, hasOrders: false };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** Without any store, Hugging Face is used by default. If a store does not answer, it is used only on request. */
function mayGoDirect({ config }: Deps, { code }: SkulkError, direct: boolean): boolean {
  if (!config.settings.allowHubFallback.value) return false;
  // A disabled store counts as not configured.
  const hasNone = !config.isStoreNamed || !config.settings.enabled.value;
  return (code === 'STORE_NOT_CONFIGURED' && hasNone) || (code === 'STORE_UNREACHABLE' && direct);
}

/** Whether the store answered, but not this client. */
const isRefusal = ({ cause }: SkulkError): boolean =>
  cause instanceof SkulkError && (cause.code === 'UNAUTHORIZED' || cause.code === 'FORBIDDEN');

const isOutOfReach = ({ code }: SkulkError): boolean =>
  code === 'STORE_UNREACHABLE' || code === 'STORE_NOT_CONFIGURED' || code === 'STORE_BUSY';

function useWithoutStore({ world }: Deps, { part, companions, groups }: UsableCopy, error: SkulkError): StoreAnswer {
  const stagedAt = groups.find((group) => isSameGroup(group, part.group))?.stagedAt;
  const age = stagedAt === undefined ? '' : formatAge(stagedAt, world.now());
  world.emit({
    type: 'warning',
    message: `cannot check whether ${part.manifest.model_id} has changed in the store: ${error.message}`,
    hint: `using the verified copy ${part.group.selector === null ? '' : `of ${part.group.selector} `}on this machine, which was staged ${age === '' ? 'at an unknown time' : `${age} (${stagedAt})`}`,
  });
  // The store's other files are unknown.
  return { state: 'current', part: { ...part, missingPin: undefined }, companions, hasOrders: false, isChecked: false, ...nothingOpen };
}
