import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../../../connect/deps.ts';
import { openStore } from '../../../connect/open-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { describeFailure } from '../../../kernel/explain-system-error.ts';
import { pause } from '../../../kernel/flow/backoff.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { World } from '../../../kernel/world.ts';
import type { SwarmAnswer, SwarmBody } from '../../../protocol/staging.ts';
import { copyPath, type StagingLayout, stagingLayout } from '../../../staging/layout.ts';
import { type LocalCopy, readLocalCopy } from '../../../staging/local-copy.ts';
import { openSeeding, type Seeding } from '../../../swarm/seeding.ts';

type Own = Pick<Deps, 'config' | 'connections'>;

/** Sends the copies of a node to others, as long as the store says that others take the same. */
export interface CopySender extends AsyncDisposable {
  /** Begins to send a copy; for a copy that is being sent, does nothing. Errors are only noted. */
  offer(own: Own, modelId: ModelId): void;
}

const askEveryMs = 5_000;
const maxMisses = 3;

/** For a server. The aria2 and the links of a killed one are removed at once. */
export function createCopySender(world: World, { config }: Pick<Deps, 'config'>): CopySender {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const closing = new AbortController();
  const signal = AbortSignal.any([world.signal, closing.signal]);
  const copies = new Map<ModelId, LocalCopy>();
  const sending = new Map<ModelId, Promise<void>>();
  const seeding = openSeeding({
    store: { openFile: (modelId, path) => openFileOf(layout, copies.get(modelId), path) },
    place: layout.seeding,
    directoryOf: async ({ model_id }) => copyPath(layout, model_id),
    world: { env: world.env, cwd: world.cwd, signal },
    uploadLimit: config.swarm.uploadLimit,
    port: config.swarm.port,
  });
  seeding.catch(() => undefined);
  const send = async (own: Own, modelId: ModelId): Promise<void> => {
    const seeds = await seeding;
    try {
      await sendCopy({ ...own, world: { ...world, signal } }, modelId, { layout, seeds, signal, copies });
    } catch (error) {
      if (!signal.aborted) world.emit({ type: 'note', message: describeFailure(`cannot send ${modelId} to other nodes`, error) });
    } finally {
      copies.delete(modelId);
      sending.delete(modelId);
      if (sending.size === 0) await seeds.rest();
    }
  };
  return {
    offer: (own, modelId) => {
      if (signal.aborted || sending.has(modelId)) return;
      sending.set(
        modelId,
        send(own, modelId).catch(() => undefined),
      );
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new SkulkError('TERMINATED', 'the server is stopping'));
      await Promise.all(sending.values());
      await (await seeding.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

interface Sending {
  readonly layout: StagingLayout;
  readonly seeds: Seeding;
  readonly signal: AbortSignal;
  /** The copies that are being sent. */
  readonly copies: Map<ModelId, LocalCopy>;
}

/** Sends a copy until nobody takes it any more, or it is gone. */
async function sendCopy(deps: Deps, modelId: ModelId, { layout, seeds, signal, copies }: Sending): Promise<void> {
  await using opened = await openStore(deps);
  const { swarm } = opened.store;
  const copy = await readLocalCopy(layout, modelId);
  const tracker = await swarm?.trackerUrl();
  // It must have all files, because aria2 takes it for complete.
  const isWhole = copy !== undefined && copy.of === copy.manifest.digest && copy.changed.size === 0;
  if (swarm === undefined || tracker === undefined || !isWhole) return;
  copies.set(modelId, copy);
  const { digest } = copy.manifest;
  let member: string | undefined;
  const ask = (more: Partial<SwarmBody>, over = signal): Promise<SwarmAnswer | undefined> =>
    swarm.ask(modelId, { digest, seeds: true, ...(member !== undefined && { member }), ...more }, over).catch(() => undefined);
  try {
    const answer = await ask({});
    if (answer === undefined || answer.member === '') return;
    member = answer.member;
    if (answer.state !== 'swarm' || answer.torrent === undefined) return;
    await seeds.begin(copy.manifest, { torrent: Buffer.from(answer.torrent, 'base64') }, `${tracker}?key=${member}`);
    for (let misses = 0; misses < maxMisses; ) {
      await pause(askEveryMs, signal);
      const now = await ask({ has_torrent: true });
      misses = now === undefined ? misses + 1 : 0;
      // A restarted store gives another key.
      if (now !== undefined && (now.state !== 'swarm' || now.member !== member)) return;
      // An evicted copy must not keep its space.
      if ((await readLocalCopy(layout, modelId))?.manifest.digest !== digest) return;
    }
  } finally {
    await seeds.end(digest);
    if (member !== undefined) await ask({ leaves: true }, AbortSignal.timeout(2_000));
  }
}

async function openFileOf(layout: StagingLayout, copy: LocalCopy | undefined, path: string) {
  const file = copy?.manifest.files.find((one) => one.path === path);
  if (copy === undefined || file === undefined) throw new SkulkError('FILE_NOT_FOUND', `${path} is not in the copy`);
  const handle = await open(join(copyPath(layout, copy.manifest.model_id), path));
  const { size } = await handle.stat();
  return { handle, size, sha256: file.sha256, [Symbol.asyncDispose]: () => handle.close() };
}
