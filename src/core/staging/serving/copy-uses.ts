import type { ModelId } from '../../kernel/model-id.ts';
import type { GroupFiles } from '../groups/copy-groups.ts';
import { markUsed } from '../groups/mark-used.ts';
import type { StagingLayout } from '../layout.ts';
import { type HeldLease, takeLease } from '../leases/take-lease.ts';

/** Which files of the copies of this machine are being sent by this process, as leases and last uses say it to others. */
export interface CopyUses extends AsyncDisposable {
  /**
   * Notes that a file of a copy is being sent, until the returned function is called. The copy then counts as in use.
   * @param use the quantization that the file belongs to; undefined for a file that several share
   */
  begin(modelId: ModelId, use: GroupFiles | undefined): Promise<() => void>;
}

/** What is written about uses. */
export interface CopyUsesOptions {
  /** As it is shown beside the copy. */
  readonly purpose: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Hub clients ask for many small files one after the other: a lease stays for so long after the last one, in milliseconds. */
  readonly lingerMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed?: () => number;
}

/** The last use of a copy that is sent all the time is written this often, in milliseconds. */
const noteEveryMs = 60_000;

interface Use {
  count: number;
  readonly lease: Promise<HeldLease | undefined>;
  timer?: NodeJS.Timeout | undefined;
}

/** One lease for each quantization that is being sent, however many requests there are for it. */
export function createCopyUses(
  layout: StagingLayout,
  { purpose, now, signal, lingerMs = 2_000, elapsed = () => performance.now() }: CopyUsesOptions,
): CopyUses {
  const uses = new Map<string, Use>();
  /** When a last use was written, by a clock that only goes forward. */
  const noted = new Map<string, number>();
  const releases = new Set<Promise<unknown>>();
  /** Without a lease, as on a full disk, a reader keeps the file that it has open. */
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
