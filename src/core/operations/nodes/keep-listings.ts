import type { Deps } from '../../connect/deps.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import { readInfo } from '../../endpoint/view/read-info.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { throttle } from '../../kernel/flow/throttle.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import type { KeptListings } from '../../staging/serving/kept-listings.ts';
import type { ServedCopies } from '../../staging/serving/served-copies.ts';

/** Keeps what the store says of the models that are staged here. */
export interface ListingKeeper extends AsyncDisposable {
  /**
   * Notes what the store just said that `main` of a model is; undefined when it does not show the model. What is kept is replaced if it
   * says something else. Returns at once.
   */
  compare(modelId: ModelId, commit: string | undefined): void;
  /** Waits for what was begun. */
  settled(): Promise<void>;
}

/** What a listing may have: some hundred bytes for each file. */
const maxBytes = 64 * 1024 * 1024;
const timeoutMs = 60_000;
/** How often a store that was away is asked again, in milliseconds. */
const askAgainMs = 60_000;
/** Copies come with many changes in their directories, in milliseconds. */
const waitMs = 1_000;

/**
 * Asks the store about each staged model once, about a copy that came or changed, and again when its commit moved. The request has the
 * header that keeps the store from fetching anything.
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
    /** Whether a listing has all that the copy has, as the copy has it. */
    readonly fits: (modelId: ModelId, said: unknown) => Promise<boolean>;
  },
): ListingKeeper {
  const ending = new AbortController();
  const { signal } = ending;
  /** For which content of the copy the store was asked. */
  const asked = new Map<ModelId, string>();
  /** The last commit that was compared. */
  const compared = new Map<ModelId, string | undefined>();
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): void => {
    last = last.then(work).catch((error: unknown) => {
      // That it is away is no news, and what a disk refuses is lost for that time only.
      if (!signal.aborted && !(error instanceof SkulkError))
        world.emit({ type: 'note', message: `cannot save what the store says of its models: ${String(error)}` });
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
    // The store may have a newer version than this machine, and then what it said of this one is still what fits.
    if ((await fits(modelId, value)) || !(await fits(modelId, await kept.read(modelId)))) await kept.write(modelId, value as object);
  };
  const lookAtAll = (): void =>
    inTurn(async () => {
      const models = await copies.list();
      for (const modelId of models) {
        if (signal.aborted) return;
        const record = await copies.read(modelId);
        if (record !== undefined && asked.get(modelId) !== record.manifest.digest) await askAbout(modelId);
      }
      await kept.keepOnly(models);
    });
  const soon = throttle(waitMs, lookAtAll);
  const stop = watchCopies({ config }, soon);
  const timer = setInterval(lookAtAll, askAgainMs);
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
    settled: async () => void (await last),
    [Symbol.asyncDispose]: async () => {
      ending.abort(new SkulkError('TERMINATED', 'the server is stopping'));
      clearInterval(timer);
      stop();
      soon[Symbol.dispose]();
      await last;
    },
  };
}
