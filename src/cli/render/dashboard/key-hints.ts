import type { Hint } from '../parts/hints.ts';
import type { Details, TabName } from './context.ts';

const common: readonly Hint[] = [
  ['/', 'filter'],
  ['?', 'help'],
  ['q', 'quit'],
];

const ofTabs: Readonly<Record<TabName, readonly Hint[]>> = {
  store: [
    ['enter', 'details'],
    ['a', 'add'],
    ['s', 'stage'],
    ['p', 'purge'],
    ['d', 'delete'],
    ...common,
    ['S', 'stage on'],
    ['v', 'verify'],
    ['o', 'optimize'],
  ],
  downloads: [['enter', 'details'], ['a', 'add'], ['c', 'cancel'], ['r', 'again'], ...common, ['x', 'clear']],
  nodes: [['enter', 'details'], ['p', 'purge'], ...common, ['f', 'forget']],
  staging: [['enter', 'details'], ['s', 'stage again'], ['c', 'cancel'], ['p', 'purge'], ...common],
  optimizations: [['enter', 'details'], ['c', 'cancel'], ['r', 'again'], ...common],
  uploads: [['c', 'cancel'], ...common],
  log: [['enter', 'the model'], ['m', 'older'], ...common],
};

const back: Hint = ['esc', 'back'];

const ofDetails: Readonly<Record<Details['kind'], readonly Hint[]>> = {
  model: [
    back,
    ['a', 'add'],
    ['s', 'stage here'],
    ['p', 'purge'],
    ['d', 'delete'],
    ['?', 'help'],
    ['S', 'stage on'],
    ['v', 'verify'],
    ['o', 'optimize'],
  ],
  download: [back, ['c', 'cancel'], ['r', 'again'], ['x', 'clear'], ['?', 'help']],
  node: [back, ['p', 'purge'], ['f', 'forget'], ['?', 'help']],
  copy: [back, ['s', 'stage again'], ['c', 'cancel'], ['p', 'purge'], ['?', 'help']],
  optimization: [back, ['c', 'cancel'], ['r', 'again'], ['?', 'help']],
};

/** The useful keys at the current place. */
export const hintsFor = (tab: TabName, details: Details | undefined): readonly Hint[] =>
  details === undefined ? ofTabs[tab] : ofDetails[details.kind];
