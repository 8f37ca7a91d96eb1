import type { Deps } from '../connect/deps.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { shellWord } from '../kernel/shell-word.ts';
import { formatBytes } from '../kernel/units.ts';
import { chooseToFree } from '../staging/choose-to-free.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { NoRoomError } from '../transfer/disk-room.ts';
import { findHolders } from './evict-copies.ts';
import { listRemovals, type Removal } from './list-removals.ts';

/** More names would hide the command. */
const maxNames = 4;

/**
 * The next step for a user whose disk has no room for a copy: which idle copies to purge. Undefined if there are no copies.
 * @param keep models whose copies are needed: they do not count
 * @param missing in bytes; undefined if it is not known
 */
export async function suggestPurge(
  { config, world }: Pick<Deps, 'config' | 'world'>,
  { keep, missing }: { readonly keep: ReadonlySet<ModelId>; readonly missing: number | undefined },
): Promise<string | undefined> {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const { copies } = await listCopies(layout);
  const others = listRemovals(copies).filter((one) => !keep.has(one.modelId) && isNamed(one));
  const holders = await Promise.all(others.map((one) => findHolders(layout, one.modelId, world.now(), one.group)));
  const idle = others.filter((_, index) => holders[index]?.length === 0).map(({ reference, sizeBytes }) => ({ reference, sizeBytes }));
  if (idle.length === 0) return others.length === 0 ? undefined : 'all other copies on this machine are in use, so a purge frees no space';
  const chosen = chooseToFree(idle, missing);
  const bytes = chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const names = chosen.length > maxNames ? '' : chosen.map(({ reference }) => ` ${shellWord(reference)}`).join('');
  const isEnough = missing === undefined || bytes >= missing;
  return `\`skulk purge-staging${names}\` frees ${formatBytes(bytes)} from idle copies${isEnough ? '' : ', which is not enough'}`;
}

/** Whether a purge can remove it and nothing else. */
const isNamed = ({ group, selector }: Removal): boolean => group === undefined || (selector ?? null) !== null;

/** The error of building a copy, with the purge that makes room if this machine's disk had none; any other error unchanged. */
export async function withPurge(deps: Pick<Deps, 'config' | 'world'>, error: unknown, keep: ReadonlySet<ModelId>): Promise<unknown> {
  if (!(error instanceof SkulkError) || error.code !== 'NO_SPACE') return error;
  const missing = error instanceof NoRoomError ? error.missingBytes : undefined;
  // The error itself is more important than an error of the disk here.
  const suggestion = await suggestPurge(deps, { keep, missing }).catch(() => undefined);
  if (suggestion === undefined) return error;
  return new SkulkError(error.code, error.message, { hint: [error.hint, suggestion].filter(Boolean).join('; '), cause: error });
}
