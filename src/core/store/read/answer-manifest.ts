import { setTimeout as sleep } from 'node:timers/promises';
import type { Card } from '../../catalog/card-table.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import type { ManifestOptions } from '../contract.ts';
import type { ProblemReader } from '../facts/known-problems.ts';
import type { ModelHasher } from '../ingest/model-hasher.ts';
import type { LocalManifestAnswer } from '../local-store.ts';
import type { StoreIndex } from '../store-index.ts';

/** How long an answer waits for heads that have not been read yet, in milliseconds. */
const patienceMs = 1_000;

/** Answers a request for a manifest. A small model without one is hashed before the answer, a large one in the background. */
export async function answerManifest(
  modelId: ModelId,
  { knownDigest }: ManifestOptions,
  {
    index,
    hasher,
    cardOf,
    problemsOf,
  }: {
    readonly index: StoreIndex;
    readonly hasher: ModelHasher;
    readonly cardOf: (modelId: ModelId) => Promise<Card | undefined>;
    readonly problemsOf: ProblemReader;
  },
): Promise<LocalManifestAnswer> {
  const entry = await index.entryOf(modelId);
  const known = await index.records.read(modelId);
  if (known !== undefined) {
    const said = { ...ofCard(await cardOf(modelId)), ...(await problemsSoon(problemsOf(entry))) };
    return known.manifest.digest === knownDigest ? { state: 'unchanged', ...said } : { state: 'ready', manifest: known.manifest, ...said };
  }
  const work = hasher.hash(entry);
  const failed = await Promise.race([work.then(() => undefined), tick().then(() => undefined)]).catch((error: unknown) => error);
  if (failed !== undefined) throw failed;
  work.catch(() => undefined);
  const now = await index.records.read(modelId);
  if (now === undefined) return { state: 'hashing', retryAfterMs: Math.min(5_000, Math.max(50, entry.total_bytes / 2e6)) };
  return { state: 'ready', manifest: now.manifest, ...ofCard(await cardOf(modelId)), ...(await problemsSoon(problemsOf(entry))) };
}

/** The problems that are known by then: on a slow disk, the first answer about a model does not wait for its heads. */
async function problemsSoon(found: Promise<readonly ModelProblem[]>): Promise<Pick<LocalManifestAnswer & { state: 'ready' }, 'problems'>> {
  const waiting = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined);
  const problems = (await Promise.race([found, late])) ?? [];
  waiting.abort();
  return problems.length > 0 ? { problems } : {};
}

const ofCard = (card: Card | undefined) => ({
  companions: card?.companions ?? [],
  ...(card?.ggufFile !== undefined && { pin: card.ggufFile }),
});

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
