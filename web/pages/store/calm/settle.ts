import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import { keyOfDownload } from '../quantizations.ts';

/** A download that has ended keeps its row so long, in milliseconds. */
export const endedMs = 10_000;

/** A row of a download. */
export interface Move {
  readonly download: DownloadStatus;
  /** When the page saw its end, in milliseconds since 1970; undefined while it waits or runs. */
  readonly endedAt: number | undefined;
}

/** What the list shows. */
export interface Settled {
  readonly moves: readonly Move[];
  /** The ids of the models that may be listed, with the time when each came; 0 if it was there from the start. */
  readonly known: ReadonlyMap<string, number>;
  /** The ids of the models that are listed, from top to bottom. */
  readonly order: readonly string[];
  /** The ids of the models that came while the list was being read, and that no row of a download shows. */
  readonly waiting: readonly string[];
  /** When it changes without an event, in milliseconds since 1970; undefined if never. */
  readonly changesAt: number | undefined;
}

/** What the store has now, and what the reader does. */
export interface News {
  readonly downloads: readonly DownloadStatus[];
  /** The ids of all models of the store. */
  readonly ids: readonly string[];
  /** The ids of the models that the reader wants to see, in the wanted order. */
  readonly wanted: readonly string[];
  /** Whether the pointer or the focus is in the list, or its start is above the window. */
  readonly isRead: boolean;
  /** Whether a menu or a dialog is open. */
  readonly isHeld: boolean;
}

const isRunning = ({ status }: DownloadStatus): boolean => status === 'pending' || status === 'downloading';

/**
 * What the list shows next, so that nothing moves under the hand of its reader. A download that was complete keeps its row for ten
 * seconds and until the list is not read. A new model comes when its download has no row any more and the list is not read. An open menu
 * keeps the order. Pure.
 */
export function settle(before: Settled | undefined, { downloads, ids, wanted, isRead, isHeld }: News, now: number): Settled {
  const isBusy = isRead || isHeld;
  const seen = new Map(before?.moves.map((move) => [keyOfDownload(move.download), move.endedAt]));
  const moves = downloads.flatMap((download): readonly Move[] => {
    const key = keyOfDownload(download);
    if (isRunning(download)) return [{ download, endedAt: undefined }];
    if (download.status !== 'complete' || !seen.has(key)) return [];
    const endedAt = seen.get(key) ?? now;
    return isBusy || now - endedAt < endedMs ? [{ download, endedAt }] : [];
  });
  const ended = moves.filter(({ endedAt }) => endedAt !== undefined);
  // A model can be in the store a moment before its download is reported as complete.
  const complete = new Set<string>(downloads.flatMap(({ status, modelId }) => (status === 'complete' ? [modelId] : [])));
  const arriving = moves.filter(({ download, endedAt }) => endedAt === undefined && !complete.has(download.modelId));
  const shownAbove = new Set<string>([...ended, ...arriving].map(({ download }) => download.modelId));
  // Nobody reads an empty list.
  const isKept = isBusy && before !== undefined && before.order.length > 0;
  const known = new Map(
    ids.flatMap((id): readonly (readonly [string, number])[] => {
      const came = before === undefined ? 0 : before.known.get(id);
      if (came !== undefined) return [[id, came]];
      return isKept || shownAbove.has(id) ? [] : [[id, now]];
    }),
  );
  const listed = wanted.filter((id) => known.has(id));
  const due = ended.flatMap(({ endedAt = 0 }) => (endedAt + endedMs > now ? [endedAt + endedMs] : []));
  return {
    moves,
    known,
    order: isHeld && before !== undefined ? keepOrder(before.order, listed) : listed,
    waiting: wanted.filter((id) => !known.has(id) && !shownAbove.has(id)),
    changesAt: due.length > 0 ? Math.min(...due) : undefined,
  };
}

/** What stays keeps its place, and what comes follows it. */
function keepOrder(before: readonly string[], now: readonly string[]): readonly string[] {
  const left = new Set(now);
  const kept = before.filter((id) => left.delete(id));
  return [...kept, ...left];
}
