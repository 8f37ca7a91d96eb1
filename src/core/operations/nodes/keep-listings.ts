import type { Deps } from '../../connect/deps.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import { readInfo } from '../../endpoint/view/read-info.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { throttle } from '../../kernel/flow/throttle.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import type { KeptListings } from '../../staging/serving/kept-listings.ts';
import type { ServedCopies } from '../../staging/serving/served-copies.ts';

/** Saves the store's answers about the models that are staged here. */
export interface ListingKeeper extends AsyncDisposable {
  /**
   * Compares a model's current `main` commit from the store; undefined if the store does not have the model. Replaces the saved answer if
   * the commit has changed. Returns at once.
   */
  compare(modelId: ModelId, commit: string | undefined): void;
  /** Waits for the started work. */
  settled(): Promise<void>;
}

/** The size limit of an answer: some hundred bytes for each file. */
const maxBytes = 64 * 1024 * 1024;
const timeoutMs = 60_000;
/** How often an unreachable store is asked again, in milliseconds. */
const askAgainMs = 60_000;
/** A new copy causes many changes in its directory. This is the waiting time after a change, in milliseconds. */
const waitMs = 1_000;

/**
 * Asks the store about each staged model once, again after its copy changed, and again after its commit changed. A header in the request
 * prevents the store from fetching anything.
 */
export function keepListings(
  { world, config }: Pick<Deps, 'world' | 'config'>,
  {
    copies,
    kept,
    link,
    fits,
  }: {
    readonly copies: Pick<ServedCopies, 'list' | 'read'>;
    readonly kept: KeptListings;
    readonly link: Pick<StoreLink, 'ask' | 'mayForward' | 'url'>;
    /** Whether an answer matches all content of the copy. */
    readonly fits: (modelId: ModelId, said: unknown) => Promise<boolean>;
  },
): ListingKeeper {
  const ending = new AbortController();
  const { signal } = ending;
  /** The content of the copy for which the store was asked. */
  const asked = new Map<ModelId, string>();
  /** The last compared commit. */
  const compared = new Map<ModelId, string | undefined>();
  const queue = createSerialQueue();
  const inTurn = (work: () => Promise<void>): void => {
    queue.run(work).catch((error: unknown) => {
      // An unreachable store is expected, and a disk error only affects this one answer.
      if (!signal.aborted && !(error instanceof SkulkError))
        world.emit({ type: 'note', message: describeFailure('cannot save the list of models of the store', error) });
    });
  };
  const askAbout = async (modelId: ModelId): Promise<void> => {
    const record = await copies.read(modelId);
    if (record === undefined || signal.aborted || link.url() === undefined || !(await link.mayForward())) return;
    const target = `/api/models/${encodeURIComponent(modelId)}?blobs=true`;
    const headers = { 'skulk-no-fetch': '1', 'user-agent': `skulk/${world.version}` };
    const answer = await link.ask(target, { method: 'GET', headers, authorization: 'own', timeoutMs, maxBytes, signal });
    if (answer.status === 404) await kept.write(modelId, { refused: true });
    if (answer.status === 404 || answer.status === 200) asked.set(modelId, record.manifest.digest);
    if (answer.status !== 200) return;
    const value: unknown = JSON.parse(answer.body.toString('utf8'));
    if (readInfo(modelId, value) === undefined) return;
    // The store may have a newer version than this machine. Then the older answer still matches the copy.
    if ((await fits(modelId, value)) || !(await fits(modelId, await kept.read(modelId)))) await kept.write(modelId, value as object);
  };
  const compareAll = (): void =>
    inTurn(async () => {
      const models = await copies.list();
      for (const modelId of models) {
        if (signal.aborted) return;
        const record = await copies.read(modelId);
        if (record !== undefined && asked.get(modelId) !== record.manifest.digest) await askAbout(modelId);
      }
      await kept.keepOnly(models);
    });
  const soon = throttle(waitMs, compareAll);
  const stop = watchCopies({ config }, soon);
  const timer = setInterval(compareAll, askAgainMs);
  timer.unref();
  return {
    compare: (modelId, commit) => {
      if (compared.has(modelId) && compared.get(modelId) === commit) return;
      compared.set(modelId, commit);
      inTurn(async () => {
        const { sha } = ((await kept.read(modelId)) ?? {}) as { readonly sha?: unknown };
        if (sha !== commit || commit === undefined) await askAbout(modelId);
      });
    },
    settled: queue.idle,
    [Symbol.asyncDispose]: async () => {
      ending.abort(new SkulkError('TERMINATED', 'the server is stopping'));
      clearInterval(timer);
      stop();
      soon[Symbol.dispose]();
      await queue.idle();
    },
  };
}
