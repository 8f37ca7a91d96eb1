import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Connection } from '../../../core/kernel/flow/follow.ts';
import type { StoreView } from '../../../core/operations/live/follow-store.ts';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import { stagingRows } from '../lists/copy-columns.ts';
import { isUnderWay } from '../lists/optimization-columns.ts';
import { bar } from '../parts/bar.ts';
import { formatBytes, plural } from '../parts/format.ts';
import { spread, widthOfParts } from '../parts/spread.ts';
import { widthOf } from '../parts/text-width.ts';
import { Line, type Part } from '../parts/words.tsx';
import { type TabName, tabs } from './context.ts';

/** The store, its connection, its disk space, and the tabs. */
export function Header({
  view,
  tab,
  width,
}: {
  readonly view: DashboardView;
  readonly tab: TabName;
  readonly width: number;
}): ReactElement {
  const { store } = view;
  const labels = labelsIn(view, width);
  return (
    <Box flexDirection="column">
      <Line
        parts={spread([{ text: '  skulk  ', tone: 'title' }, ...placeParts(store)], [...connectionParts(store?.connection), '  '], width)}
      />
      <Line parts={spaceParts(store, width)} />
      <Line
        parts={labels.flatMap(({ name, text, count }) => [
          { text: `  ${text}`, tone: name === tab ? 'strong' : 'quiet' },
          { text: count === '' ? '' : ` ${count}`, tone: count === '0' ? 'quiet' : 'accent' },
        ])}
      />
      <Line
        parts={ruleParts(
          labels.map(({ name, text, count }) => ({
            isCurrent: name === tab,
            width: widthOf(text) + (count === '' ? 0 : 1 + widthOf(count)),
          })),
          width,
        )}
      />
    </Box>
  );
}

const titles: Readonly<Record<TabName, string>> = {
  store: 'Store',
  downloads: 'Downloads',
  nodes: 'Nodes',
  staging: 'Staging',
  optimizations: 'Optimize',
  uploads: 'Uploads',
  log: 'Log',
};

/** For a narrow window. */
const shortTitles: typeof titles = {
  store: 'Store',
  downloads: 'Down',
  nodes: 'Nodes',
  staging: 'Stage',
  optimizations: 'Opt',
  uploads: 'Up',
  log: 'Log',
};

/** The tabs with their counts; with short titles, or also without the counts, in a narrow window. */
function labelsIn(
  view: DashboardView,
  width: number,
): readonly { readonly name: TabName; readonly text: string; readonly count: string }[] {
  const labelsOf = (names: typeof titles) =>
    tabs.map((name, index) => ({ name, text: `${index + 1} ${names[name]}`, count: countOf(view, name) }));
  const needs = (labels: ReturnType<typeof labelsOf>): number =>
    labels.reduce((sum, { text, count }) => sum + 2 + text.length + (count === '' ? 0 : 1 + count.length), 0);
  const [full, short] = [labelsOf(titles), labelsOf(shortTitles)];
  return [full, short].find((labels) => needs(labels) <= width) ?? short.map((label) => ({ ...label, count: '' }));
}

/** The number of items; for downloads and optimizations, the number of running or waiting ones. */
function countOf({ store, staging, jobs }: DashboardView, tab: TabName): string {
  const count = {
    store: store?.models?.length,
    downloads: store?.downloads?.filter(({ status }) => status === 'pending' || status === 'downloading').length || undefined,
    nodes: store?.nodes?.length,
    staging: staging === null ? undefined : stagingRows(staging, jobs).length,
    optimizations: store?.optimizations?.filter(isUnderWay).length || undefined,
    // These two lists are only read while they are shown.
    uploads: undefined,
    log: undefined,
  }[tab];
  return count === undefined ? '' : String(count);
}

/** The store host's name and address. */
function placeParts(store: StoreView | null): readonly Part[] {
  const name = store?.health?.hostname ?? '';
  const location = store?.location ?? '';
  return name === ''
    ? [location]
    : [
        { text: name, tone: 'strong' },
        { text: `  ${location}`, tone: 'quiet' },
      ];
}

/** The state of the connection, as a word with a mark. */
export function connectionParts(connection: Connection | undefined): readonly Part[] {
  switch (connection?.state) {
    case 'live':
      return [{ text: '● live', tone: 'good' }];
    case 'asking':
      return [{ text: '◐ every 2 s', tone: 'warn' }];
    case 'lost':
      return [{ text: '○ reconnecting…', tone: 'bad' }];
    default:
      return [{ text: '○ connecting…', tone: 'quiet' }];
  }
}

/** The disk of the store: models, other files, and free space. */
function spaceParts(store: StoreView | null, width: number): readonly Part[] {
  const health = store?.health;
  if (health == null || health.total_bytes === 0) return [' '];
  const models = (store?.models ?? []).reduce((sum, { total_bytes }) => sum + total_bytes, 0);
  const { used_bytes, free_bytes, total_bytes } = health;
  // Models may be clones of other files, which the disk counts once.
  const others = Math.max(0, used_bytes - models);
  const words: readonly Part[] = [
    { text: formatBytes(free_bytes), tone: 'strong' },
    { text: ` free of ${formatBytes(total_bytes)}`, tone: 'quiet' },
    { text: ` · ${plural((store?.models ?? []).length, 'model')} ${formatBytes(models)}`, tone: 'accent' },
  ];
  const room = width - widthOfParts(words) - 6;
  return [
    '  ',
    ...bar(
      [
        { share: models / total_bytes, tone: 'accent', character: '━' },
        { share: others / total_bytes, tone: 'plain', character: '╍' },
      ],
      Math.max(8, Math.min(60, room)),
    ),
    '  ',
    ...words,
  ];
}

/** A horizontal line, bold below the current tab. */
function ruleParts(labels: readonly { readonly isCurrent: boolean; readonly width: number }[], width: number): readonly Part[] {
  const parts: Part[] = [];
  for (const { isCurrent, width: columns } of labels)
    parts.push(
      { text: '──', tone: 'quiet' },
      isCurrent ? { text: '━'.repeat(columns), tone: 'title' } : { text: '─'.repeat(columns), tone: 'quiet' },
    );
  return [...parts, { text: '─'.repeat(Math.max(0, width - widthOfParts(parts))), tone: 'quiet' }];
}
