import { globalFlagsWithValue } from './global-options.ts';

/** What is known about a command line before a definition is loaded. */
export interface Scan {
  readonly verb: string | undefined;
  /** The command line without the command's name. */
  readonly rest: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  /** The values of `--token`. */
  readonly tokens: readonly string[];
}

/** Finds the command's name, and the flags that decide how even a wrong command line is answered. */
export function scan(argv: readonly string[], isVerb: (word: string) => boolean): Scan {
  const end = argv.indexOf('--');
  const ours = end === -1 ? argv : argv.slice(0, end);
  const at = findVerb(argv, isVerb);
  const has = (long: string, letter?: string): boolean =>
    ours.some(
      (word) => word === long || (letter !== undefined && /^-[a-z]+$/.test(word) && /^-[qvh]+$/.test(word) && word.includes(letter)),
    );
  return {
    verb: at === undefined ? undefined : argv[at],
    rest: at === undefined ? argv : argv.toSpliced(at, 1),
    help: has('--help', 'h'),
    version: has('--version'),
    json: has('--json'),
    quiet: has('--quiet', 'q'),
    verbose: has('--verbose', 'v'),
    noColor: has('--no-color'),
    tokens: ours.flatMap((word, index) =>
      word.startsWith('--token=') ? [word.slice('--token='.length)] : word === '--token' ? [ours[index + 1] ?? ''] : [],
    ),
  };
}

/** The first word that is not a flag and not a flag's value. After an unknown flag, a word only counts if it is the name of a command. */
function findVerb(argv: readonly string[], isVerb: (word: string) => boolean): number | undefined {
  let mayBeValue = false;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') return index + 1 < argv.length ? index + 1 : undefined;
    if (word.startsWith('-') && word !== '-') {
      if (globalFlagsWithValue.has(word)) index += 1;
      mayBeValue = !knownFlags.test(word) && !word.includes('=') && !globalFlagsWithValue.has(word);
      continue;
    }
    if (!mayBeValue || isVerb(word)) return index;
    mayBeValue = false;
  }
  return undefined;
}

const knownFlags = /^(?:-[qvh]+|--(?:json|quiet|verbose|no-progress|no-color|version|help))$/;
