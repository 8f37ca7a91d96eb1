import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../connect/deps.ts';
import { SkulkError } from '../kernel/errors.ts';
import { reasonOf } from '../kernel/explain-system-error.ts';
import type { World } from '../kernel/world.ts';

/** How long a machine does not repeat the same warning, in milliseconds. */
const quietForMs = 3600_000;

/** The commands that have warned, by their `emit`, which copies of their world share. */
const warned = new WeakSet<World['emit']>();

/** Notes that the copies were not reported to the store. If it refused them, and there are some, this is a warning. */
export async function noteUnreported(deps: Deps, thrown: unknown, { hasCopies }: { readonly hasCopies: boolean }): Promise<void> {
  const refusal = refusalOf(thrown);
  if (refusal !== undefined && hasCopies) await warnOfRefusal(deps, refusal);
  else deps.world.emit({ type: 'note', message: `cannot report the staged copies to the store: ${reasonOf(thrown)}` });
}

/** Warns once in a command, and once an hour on a machine, because commands run in loops. */
async function warnOfRefusal({ world, config }: Deps, { says: refusal, hint }: Refusal): Promise<void> {
  if (warned.has(world.emit)) return;
  warned.add(world.emit);
  const path = join(config.skulkHome, 'report-refused');
  const [before, since] = await Promise.all([readFile(path, 'utf8').catch(() => undefined), stat(path).catch(() => undefined)]);
  const age = since === undefined ? Number.POSITIVE_INFINITY : world.now().getTime() - since.mtimeMs;
  if (before === `${refusal}\n` && Math.abs(age) < quietForMs) return;
  world.emit({
    type: 'warning',
    message: `the store does not let this machine report its copies, so a delete there does not reach them: ${refusal}`,
    hint: `${hint}; then run \`skulk reconcile\` here; until then, only \`skulk purge-staging\` on this machine removes the copies`,
  });
  await writeFile(path, `${refusal}\n`, { mode: 0o600 }).catch(() => undefined);
}

interface Refusal {
  /** What the store said. */
  readonly says: string;
  /** How this machine gets the right. */
  readonly hint: string;
}

/** The answer of the store that this machine may not report. */
function refusalOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof SkulkError)) return undefined;
  const { cause } = thrown;
  const isRefusal = cause instanceof SkulkError && (cause.code === 'FORBIDDEN' || cause.code === 'UNAUTHORIZED');
  return isRefusal ? { says: cause.message, hint: thrown.hint ?? 'use a token with the role node' } : undefined;
}
