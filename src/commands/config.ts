import { argument, aside, type CommandContext, defineCommand, flag, flagName, sentence, type TableCell, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { shellWord } from '../core/kernel/shell-word.ts';

const owners = { origin: 'show', force: 'init', print: 'init', storeHost: 'init', storePath: 'init' } as const;

/** `skulk config`: show, locate, validate or create the configuration. */
export const config = defineCommand({
  name: 'config',
  summary: 'show, locate, validate or create the configuration',
  description: [
    '`show` prints every effective setting, with --origin also its source. `path` prints the path of the file that is read. `validate` checks the file, its overrides and its directories. To change a setting, edit that file. `init` writes a skulk.yaml with comments to the working directory or to the path in --config.',
    'skulk reads skulk.yaml from the working directory and the directories above it, then from ~/.config/skulk and /etc/skulk. A file in ~/.config/skulk applies in every directory.',
    'On a terminal, `init` asks for the role of this machine, the store, the directories and the budget, unless --store-host, --store-path or --print is given. It shows the file before writing it. Esc and Ctrl-C write nothing and exit with status 130.',
    'skulk-config(5) describes the keys of the file.',
  ],
  arguments: { action: argument('what to do', { choices: ['show', 'path', 'validate', 'init'], fallback: 'show' }) },
  options: {
    origin: flag('show: print where each value comes from'),
    force: flag('init: overwrite an existing file'),
    print: flag('init: print the file instead of writing it'),
    storeHost: value('init: host name of the store host', 'HOST', { fallback: 'this machine' }),
    storePath: value('init: directory of the canonical copies', 'DIR', { fallback: '$SKULK_HOME/store' }),
  },
  examples: [
    ['show where each value comes from', 'skulk config show --origin'],
    ['check a file', 'skulk config validate --config ./skulk.yaml'],
    ['create a file by answering questions', 'skulk config init'],
    ['create a file that applies in every directory', 'skulk config init --config ~/.config/skulk/skulk.yaml'],
    ['create a file in a script', 'skulk config init --store-host mac-studio-1 --store-path /Volumes/ModelStore/models'],
  ],
  exits: ['not-found', 'conflict'],
  instead: {
    set: 'edit the file that `skulk config path` names',
    edit: 'edit the file that `skulk config path` names',
    get: '`skulk config show` prints every setting',
  },
  run: async (input, context) => {
    for (const [option, action] of Object.entries(owners)) {
      const given = input[option as keyof typeof owners];
      if (given !== false && given !== undefined && action !== input.action)
        throw new SkulkError('USAGE', `${flagName(option)} belongs to "skulk config ${action}", not to "skulk config ${input.action}"`, {
          hint: 'see: skulk config --help',
        });
    }
    const { configPath, initConfig, showConfig, validateConfig } = await import('../core/operations/settings/config.ts');
    const { world, flags } = context;
    switch (input.action) {
      case 'show':
        return { action: 'show', withOrigin: input.origin, ...showConfig(await context.deps()) } as const;
      case 'path':
        return { action: 'path', ...(await configPath(world, flags)) } as const;
      case 'validate':
        return { action: 'validate', ...(await validateConfig(world, flags)) } as const;
      default:
        return { action: 'init', ...(await initConfig(world, { flags, ...(await initAnswers(input, context)) })) } as const;
    }
  },
  text: (result) => {
    switch (result.action) {
      case 'show':
        return result.withOrigin
          ? [
              {
                header: ['KEY', 'VALUE', 'ORIGIN'],
                // The key is in the first column, whole because it is what one types; so the origin has room for the file and the line.
                rows: result.settings.map(({ key, value: is, origin }) => [
                  keyCell(key),
                  String(is ?? ''),
                  originCell(withoutEnd(origin, `: ${key}`), result.file),
                ]),
                isWhole: [0],
                cutMiddle: [1, 2],
                legend: {
                  0: keyLegend,
                  ...(result.file !== null && { 2: `the lines are those of ${result.file}` }),
                },
              },
            ]
          : [
              {
                header: ['KEY', 'VALUE'],
                rows: result.settings.map(({ key, value: is }) => [keyCell(key), String(is ?? '')]),
                isWhole: [0],
                cutMiddle: [1],
                legend: { 0: keyLegend },
              },
            ];
      case 'path':
        return result.path === null ? [] : [result.path];
      case 'validate':
        return [
          `${result.file ?? 'no file, the defaults'}: valid`,
          ...result.checked.map((what) => `checked ${what}`),
          ...result.notes.map((note) => sentence(`note: ${note}`)),
        ];
      case 'init':
        return result.written ? [`wrote ${result.path}`, aside(nextLine(result))] : [result.content.trimEnd()];
    }
  },
  json: (result) => {
    if (result.action === 'init') {
      const { path, written, content } = result;
      return { path, written, content };
    }
    if (result.action === 'show') {
      const { action: _, withOrigin: __, ...shown } = result;
      return shown;
    }
    const { action: _, ...shown } = result;
    return shown;
  },
  notice: (result) =>
    result.action === 'path' && result.path === null
      ? 'no configuration file, so the defaults apply; `skulk config init` creates one'
      : undefined,
});

const section = 'model_store';
const keyLegend = `a key that begins with a dot is below ${section}`;

/** Most keys are in one section. */
const keyCell = (key: string): TableCell => (key.startsWith(`${section}.`) ? { text: key, short: key.slice(section.length) } : key);

/** `line 6` for a place in the file, `SKULK_STORE` for a variable. */
function originCell(origin: string, file: string | null): TableCell {
  if (file !== null && origin.startsWith(`${file}:`))
    return {
      text: origin,
      short: origin
        .slice(file.length + 1)
        .replace(/^(?=\d+$)/, 'line ')
        .trim(),
    };
  return { text: origin, short: origin.replace(/^\S+ /, '') };
}

const withoutEnd = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text);

interface InitInput {
  readonly force: boolean;
  readonly print: boolean;
  readonly storeHost: string | undefined;
  readonly storePath: string | undefined;
}

/** The values of the flags; missing ones are asked on a terminal. */
async function initAnswers({ force, print, storeHost, storePath }: InitInput, { world, flags, screens }: CommandContext) {
  if (print || storeHost !== undefined || storePath !== undefined || !screens.canShow()) {
    // A URL, or a host with its port, as other commands print it.
    const isPlace = storeHost !== undefined && /:\/\/|^[^:]+:\d+$/.test(storeHost);
    const { readStorePlace } = await import('../core/operations/settings/config-questions.ts');
    return { force, print, storePath, ...(isPlace ? readStorePlace(storeHost) : { storeHost }) };
  }
  const { openConfigQuestions } = await import('../core/operations/settings/config-questions.ts');
  const answers = await screens.configQuestions(await openConfigQuestions(world, { flags, force }));
  if (answers === undefined) throw new SkulkError('INTERRUPTED', 'nothing was written');
  return { force, print, ...answers };
}

/** What to do on this machine. A file that commands do not find by themselves must be named. */
function nextLine({
  path,
  isStoreHost,
  isFound,
}: {
  readonly path: string;
  readonly isStoreHost?: boolean;
  readonly isFound?: boolean;
}): string {
  return `next: skulk ${isStoreHost === true ? 'serve' : 'health'}${isFound === true ? '' : ` --config ${shellWord(path)}`}`;
}
