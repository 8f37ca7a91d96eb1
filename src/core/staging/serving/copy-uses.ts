import type { ModelId } from '../../kernel/model-id.ts';
import type { GroupFiles } from '../groups/copy-groups.ts';
import { markUsed } from '../groups/mark-used.ts';
import type { StagingLayout } from '../layout.ts';
import { type HeldLease, takeLease } from '../leases/take-lease.ts';

/** Tracks which files of this machine's copies are being sent, and publishes that as leases and last uses. */
export interface CopyUses extends AsyncDisposable {
  /**
   * Marks a file of a copy as being sent until the returned function is called. The copy counts as in use.
   * @param use the quantization of the file; undefined for a file that several share
   */
  begin(modelId: ModelId, use: GroupFiles | undefined): Promise<() => void>;
}

/** Options of `createCopyUses`. */
export interface CopyUsesOptions {
  /** The purpose to show for the copy. */
  readonly purpose: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Hub clients request many small files one after the other, so a lease stays for this long after the last one, in milliseconds. */
  readonly lingerMs?: number;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed?: () => number;
}

/** How often the last use of a copy is written while it is being sent, in milliseconds. */
const noteEveryMs = 60_000;

interface Use {
  count: number;
  readonly lease: Promise<HeldLease | undefined>;
  timer?: NodeJS.Timeout | undefined;
}

/** There is one lease per quantization, however many requests use it. */
export function createCopyUses(
  layout: StagingLayout,
  { purpose, now, signal, lingerMs = 2_000, elapsed = () => performance.now() }: CopyUsesOptions,
): CopyUses {
  const uses = new Map<string, Use>();
  /** When a last use was written, by a monotonic clock. */
  const noted = new Map<string, number>();
  const releases = new Set<Promise<unknown>>();
  /** Even without a lease, e.g. on a full disk, a reader keeps its open file. */
  const take = (modelId: ModelId, group: GroupFiles | undefined): Promise<HeldLease | undefined> =>
    takeLease(layout, { modelId, selector: group?.selector ?? undefined, purpose, now: now(), signal }).catch(() => undefined);
  const note = async (key: string, modelId: ModelId, group: GroupFiles | undefined): Promise<void> => {
    if (group === undefined || elapsed() - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < noteEveryMs) return;
    noted.set(key, elapsed());
    const own = new Set(group.files);
    const isUsed = ({ files }: GroupFiles): boolean => files.some((path) => own.has(path));
    await markUsed(layout, modelId, { now: now(), signal, isUsed }).catch(() => undefined);
  };
  const end = (key: string, use: Use): void => {
    if (uses.get(key) === use) uses.delete(key);
    clearTimeout(use.timer);
    const work = use.lease.then((lease) => lease?.release()).catch(() => undefined);
    releases.add(work);
    void work.then(() => releases.delete(work));
  };
  const start = (key: string, modelId: ModelId, group: GroupFiles | undefined): Use => {
    const use: Use = { count: 0, lease: take(modelId, group) };
    uses.set(key, use);
    void use.lease.then((lease) => {
      // This process was suspended for so long that it counted as dead. The next request takes another lease.
      lease?.lost.addEventListener('abort', () => end(key, use), { once: true });
      if (lease === undefined && uses.get(key) === use) uses.delete(key);
    });
    return use;
  };
  return {
    begin: async (modelId, group) => {
      const key = JSON.stringify([modelId, group?.selector ?? null, group === undefined]);
      const use = uses.get(key) ?? start(key, modelId, group);
      use.count += 1;
      clearTimeout(use.timer);
      await use.lease;
      await note(key, modelId, group);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        use.count -= 1;
        void note(key, modelId, group);
        if (use.count === 0) use.timer = setTimeout(() => end(key, use), lingerMs).unref();
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const [key, use] of uses) end(key, use);
      await Promise.all(releases);
    },
  };
}
