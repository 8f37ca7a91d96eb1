import type { ReactElement } from 'react';
import type { Follow } from '../../core/kernel/flow/follow.ts';
import type { WatchedLists } from '../../core/operations/live/watch-lists.ts';
import { createLive } from './parts/live.ts';
import { type Canvas, showScreen } from './screen/show-screen.tsx';
import { WatchedDownloads, WatchedNodes, WatchedOptimizations, type WatchProps } from './watch/watched-lists.tsx';

/** Shows a list and its changes below the prompt until the user leaves; the last state stays there. Throws the error that ends it. */
export async function showWatch<Name extends keyof WatchedLists>(
  name: Name,
  { follow, now }: { readonly follow: Follow<WatchedLists[Name]>; readonly now: () => Date },
  canvas: Canvas,
): Promise<void> {
  const live = createLive<WatchedLists[Name] | undefined>(undefined);
  const over = new AbortController();
  const signal = AbortSignal.any([canvas.signal, over.signal]);
  const following = follow(live.set, signal).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  try {
    await showScreen<void>(
      (leave) => draw[name]({ live, clock: now, onLeave: () => leave() }),
      { ...canvas, signal },
      { isFull: false, atInterrupt: undefined },
    );
  } finally {
    over.abort();
    await following;
  }
}

const draw: { readonly [Name in keyof WatchedLists]: (props: WatchProps<WatchedLists[Name]>) => ReactElement } = {
  downloads: (props) => <WatchedDownloads {...props} />,
  optimizations: (props) => <WatchedOptimizations {...props} />,
  nodes: (props) => <WatchedNodes {...props} />,
};
