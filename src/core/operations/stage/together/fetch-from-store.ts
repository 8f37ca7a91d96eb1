import { stallMsOf } from '../../../kernel/env-seconds.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { StageTools } from '../../../staging/apply-stage.ts';
import { incomingCopy } from '../../../staging/layout.ts';
import type { Store } from '../../../store/contract.ts';
import type { TogetherOutcome } from '../../../swarm/fetch-together.ts';
import type { ModelStage } from '../model-stage.ts';

type Plan = Parameters<StageTools['fetch']>[0];

/** What a fetch needs beside its pieces. */
interface FromStore {
  readonly store: Store;
  /** All files of the model in the store. */
  readonly whole: Manifest | undefined;
  /** Called when the number of nodes that take the model changes. */
  readonly onMembers: (members: number) => void;
}

/** A smaller transfer ends before others could help, in bytes. */
const worthAsking = 8 * 1024 * 1024;

/**
 * Fetches pieces from the store, and shares them with other nodes if the store offers it, aria2 is installed, and others want the same.
 * @returns how they came if the store was asked, else undefined
 * @throws as `Store.fetchPieces`
 */
export async function fetchFromStore(stage: ModelStage, from: FromStore, plan: Plan): Promise<TogetherOutcome | undefined> {
  const { store, whole, onMembers } = from;
  const { deps, ref, options, layout } = stage;
  const { fetchPieces, swarm } = store;
  if (fetchPieces === undefined) throw new Error('a store on this disk is cloned from');
  const fetchByWire = (pieces: Plan): Promise<void> => fetchPieces(ref.modelId, { ...pieces, connections: options.connections });
  const bytes = plan.pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  const isWanted = options.noSwarm !== true && deps.config.swarm.isEnabled && bytes >= worthAsking;
  if (!isWanted || whole === undefined || swarm?.isOffered(ref.modelId) !== true) return await withoutSwarm(fetchByWire, plan);
  const { findAria2 } = await import('../../../swarm/aria2.ts');
  const program = findAria2(deps.world);
  const tracker = program === undefined ? undefined : await swarm.trackerUrl();
  if (program === undefined || tracker === undefined) return await withoutSwarm(fetchByWire, plan);
  const { fetchTogether } = await import('../../../swarm/fetch-together.ts');
  const { reachesPort } = await import('../../../swarm/reach-port.ts');
  const { port, uploadLimit } = deps.config.swarm;
  const stallMs = stallMsOf(deps.world);
  const downloadLimit = options.limiter.shared?.bytesPerSecond;
  return await fetchTogether(plan, {
    manifest: whole,
    place: incomingCopy(layout, ref.modelId),
    settings: { program, port, uploadLimit, downloadLimit },
    ask: (body, signal) => swarm.ask(ref.modelId, body, signal),
    announce: (member) => `${tracker}?key=${member}`,
    reaches: (at, signal) => reachesPort(new URL(tracker).hostname, at, signal),
    fetchByWire,
    onNote: (message) => deps.world.emit({ type: 'note', message: `${ref.modelId}: ${message}` }),
    onMembers,
    ...(stallMs !== undefined && { stallMs }),
  });
}

async function withoutSwarm(fetchByWire: (plan: Plan) => Promise<void>, plan: Plan): Promise<undefined> {
  await fetchByWire(plan);
}
