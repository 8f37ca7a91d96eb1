import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aliases } from '../../src/cli/aliases.ts';
import { type CommandContext, defineCommand, flag, number, value, variadic } from '../../src/cli/definition.ts';
import { commandLoaders } from '../../src/commands/index.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { type CliOptions, type CliResult, runCli } from '../helpers/run-cli.ts';
import { until } from '../helpers/waiting.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skulk-cli-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

/** Runs `skulk work …` with the action of the test. */
function runWork(
  argv: readonly string[],
  run: (context: CommandContext, input: object) => Promise<unknown>,
  options: Partial<CliOptions> = {},
): Promise<CliResult> {
  const work = defineCommand({
    name: 'work',
    summary: 'do some work',
    description: ['Works.'],
    arguments: { thing: variadic('things', { parse: (text) => text, optional: true }) },
    options: { count: number('how many', 'N', { from: 1, to: 9 }), name: value('a name', 'NAME'), hard: flag('work hard') },
    examples: [['work', 'skulk work']],
    exits: [],
    run: async (input, context) => ({ answer: await run(context, input) }),
    text: ({ answer }) => [String(answer)],
  });
  return runCli(argv, { cwd, commands: { work: async () => work }, ...options });
}

const echo = async (_: CommandContext, input: object): Promise<unknown> => JSON.stringify(input);
const fail = (error: unknown) => async (): Promise<never> => {
  throw error;
};

describe('the command line', () => {
  test('prints the version without loading a command', async () => {
    const commands = { work: () => Promise.reject(new Error('loaded')) };
    expect(await runCli(['--version'], { cwd, commands })).toMatchObject({ status: 0, stdout: 'skulk 1.2.3\n', stderr: '' });
    expect((await runCli(['work', '--version', '--json'], { cwd, commands })).stdout).toBe('{"version":"1.2.3"}\n');
    expect(await runCli(['version'], { cwd, commands })).toMatchObject({ status: 0, stdout: 'skulk 1.2.3\n', stderr: '' });
    expect((await runCli(['--json', 'version'], { cwd, commands })).stdout).toBe('{"version":"1.2.3"}\n');
  });

  test.each([
    [['--json', '--store', 'http://a:1', 'work']],
    [['work', '--json', '--store=http://a:1']],
    [['--store=http://a:1', 'work', '--json']],
  ])('accepts global flags before and after the verb: %j', async (argv) => {
    const { status, stdout } = await runWork(argv, async ({ flags }) => flags.store);
    expect([status, stdout]).toEqual([0, '{"answer":"http://a:1"}\n']);
  });

  test('accepts flags of the verb before it, and passes words after -- unchanged', async () => {
    const { stdout } = await runWork(['--count', '3', 'work', '--hard', '--', '--json', '-h'], echo);
    expect(JSON.parse(stdout)).toEqual({ thing: ['--json', '-h'], count: 3, hard: true });
  });

  test('uses the last of a repeated option', async () => {
    expect(JSON.parse((await runWork(['work', '--count', '1', '--count=2'], echo)).stdout)).toMatchObject({ count: 2 });
  });

  test.each([
    [['wrok'], '"wrok" is not a skulk command', 'did you mean "skulk work"?'],
    [['--jsn'], 'skulk has no option --jsn', 'did you mean --json?'],
    [['work', '--huard'], '"skulk work" has no option --huard', 'did you mean --hard?'],
    [['work', '--tokn=hush'], '"skulk work" has no option --tokn', 'did you mean --token?'],
    [['work', '--count'], '--count needs a value: --count N', ''],
    [['work', '--count', '10'], '--count: "10" must be a whole number from 1 to 9', ''],
    [['work', '--count', '1e3'], '--count: "1e3" must be a whole number', ''],
    [['work', '--name', ''], '--name: the value is empty', ''],
    [['work', ''], 'THING of "skulk work" is empty', ''],
    [['work', '-q', '-v'], '--quiet and --verbose cannot be combined', ''],
    [['constructor'], '"constructor" is not a skulk command', ''],
    [['--no-color', '--sotre', 'x'], 'skulk has no option --sotre', 'did you mean --store?'],
    [['--config'], '--config needs a value', 'see: skulk --help'],
    [['--json=yes'], '--json does not take a value', 'see: skulk --help'],
    [['work', '--json=yes'], '--json does not take a value', 'see: skulk work --help'],
    [['work', '--hard=yes'], '--hard does not take a value', 'see: skulk work --help'],
    [['-V'], 'skulk has no option -V', 'did you mean --version?'],
    [['-qz'], 'skulk has no option -qz', ''],
    [['version', 'work'], '"version" is not a skulk command', ''],
  ])('refuses %j', async (argv, message, hint) => {
    const { status, stdout, stderr } = await runWork(argv, echo);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`skulk: ${message}`);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('hush');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('prints a refusal with --json as one document on the last line of stderr', async () => {
    const { status, stdout, stderr } = await runWork(['work', '--nope', '--json'], echo);
    expect([status, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      error: { code: 'USAGE', message: '"skulk work" has no option --nope', hint: expect.any(String) },
    });
    expect(await runCli(['--json'], { cwd })).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('no command given') });
  });
});

test('a table without some of its columns says so on stderr of a terminal, but not with -q or in a pipe', async () => {
  const things = defineCommand({
    ...{ name: 'things', summary: 'list things', description: [], examples: [], exits: [] },
    run: async () => ({}),
    text: () => [{ header: ['NAME', 'SIZE'], rows: [['n'.repeat(24), '1 GiB']], isWhole: [1], optional: [1] }],
  });
  const run = (argv: readonly string[], isTerminal: boolean, columns = 28): Promise<CliResult> =>
    runCli(argv, { cwd, commands: { things: async () => things }, isTerminal, columns, env: { NO_COLOR: '1' } });
  const narrow = await run(['things'], true);
  expect(narrow.stdout).toBe(`NAME\n${'n'.repeat(24)}\n`);
  expect(narrow.stderr).toBe('not shown on a narrow\n  terminal: SIZE (--json\n  shows all)\n');
  for (const other of [run(['things', '-q'], true), run(['things'], false), run(['things'], true, 80)])
    expect((await other).stderr).toBe('');
});

describe('the help', () => {
  test.each([[[]], [['--no-color', '-q']], [['--store', 'http://a:1']], [['--']]])(
    'is printed when no command is given: %j',
    async (argv) => {
      const { stdout } = await runCli(['--help'], { cwd });
      expect(await runCli(argv, { cwd })).toMatchObject({ status: 0, stdout, stderr: '' });
    },
  );

  test('lists every verb', async () => {
    const { status, stdout } = await runCli(['--help'], { cwd });
    expect(status).toBe(0);
    for (const verb of Object.keys(commandLoaders)) expect(stdout).toMatch(new RegExp(`^  ${verb} +\\S`, 'm'));
  });

  test.each(Object.keys(commandLoaders))('of %s has examples and exit statuses, at any position of -h', async (verb) => {
    const help = await runCli([verb, '--help'], { cwd });
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: skulk ${verb}`, 'm'));
    expect(help.stdout).toMatch(/^Examples:\n {2}# .+\n {2}.*skulk /m);
    expect(help.stdout).toMatch(/^Exit statuses:\n {2}0 /m);
    for (const argv of [
      ['-h', verb],
      ['help', verb],
      [verb, '--nope', '-vh'],
    ])
      expect((await runCli(argv, { cwd })).stdout).toBe(help.stdout);
  });

  test.each(['', ...Object.keys(commandLoaders)])('of %j fits a narrow terminal, except for the lines of its examples', async (verb) => {
    const argv = ['help', verb].filter((word) => word !== '');
    const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '#');
    const inPipe = (await runCli(argv, { cwd })).stdout;
    const examples = /\nExamples:\n((?: {2}.+\n)+)/.exec(inPipe)?.[1]?.split('\n') ?? [];
    for (const columns of [55, 70]) {
      const { stdout } = await runCli(argv, { cwd, isTerminal: true, columns });
      expect(words(stdout)).toEqual(words(inPipe));
      expect(stdout.split('\n').filter((line) => line.length > columns && !examples.includes(line))).toEqual([]);
    }
    expect((await runCli(argv, { cwd, columns: 60 })).stdout).toBe(inPipe);
  });

  test('of an unknown verb is refused', async () => {
    expect(await runCli(['stgae', '--help'], { cwd })).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('aliases', () => {
  test.each(Object.entries(aliases))('%s is another name of %s', async (alias, verb) => {
    expect(Object.hasOwn(commandLoaders, alias)).toBe(false);
    const help = await runCli([verb, '--help'], { cwd });
    expect(help.stdout).toContain(`skulk ${alias}`);
    for (const argv of [
      [alias, '--help'],
      ['help', alias],
      ['--limit-rate', alias, '-h'],
    ])
      expect(await runCli(argv, { cwd })).toEqual(help);
  });

  test('accept the options of their command, and are suggested for a misspelling', async () => {
    expect(await runCli(['ls', '--nope'], { cwd })).toMatchObject({ stderr: expect.stringContaining('"skulk registry" has no option') });
    expect(await runCli(['statuss'], { cwd })).toMatchObject({ stderr: expect.stringContaining('did you mean "skulk status"?') });
  });
});

describe('failures', () => {
  test('an expected failure prints its message and its hint, and sets its status', async () => {
    const { status, stdout, stderr } = await runWork(
      ['work'],
      fail(new SkulkError('NO_SPACE', 'the disk is full', { hint: 'free some space' })),
    );
    expect([status, stdout, stderr]).toEqual([7, '', 'skulk: the disk is full\nhint: free some space\n']);
  });

  test('an unknown Error is reported as a bug, with its stack under --verbose', async () => {
    const quiet = await runWork(['work'], fail(new TypeError('boom')));
    expect(quiet).toMatchObject({ status: 1, stdout: '' });
    expect(quiet.stderr).toContain('boom (this is a bug in skulk)');
    expect(quiet.stderr).not.toMatch(/^ +at /m);
    expect((await runWork(['work', '-v'], fail(new TypeError('boom')))).stderr).toMatch(/^ +at /m);
  });

  test('a missing file of skulk itself is reported as an incomplete installation, and another missing module as a bug', async () => {
    const missing = (url: URL) => fail(Object.assign(new Error('Cannot find module'), { code: 'ERR_MODULE_NOT_FOUND', url: url.href }));
    const chunk = new URL('../../dist/chunks/gone.js', import.meta.url);
    const { status, stderr } = await runWork(['work'], missing(chunk));
    expect([status, stderr]).toEqual([
      1,
      `skulk: this installation is incomplete: ${chunk.pathname} is missing\nhint: it may be rebuilt or upgraded right now: try again; otherwise install skulk again, in a clone with \`npm ci\`\n`,
    ]);
    expect((await runWork(['work'], missing(new URL('file:///else/dist/gone.js')))).stderr).toContain('this is a bug in skulk');
  });

  test('secrets are hidden, regardless of their source', async () => {
    const { stderr } = await runWork(
      ['work', '--token', 'flag-secret', '--json'],
      fail(new SkulkError('CONFIG', 'flag-secret env-secret hub-secret hf_abcdefgh12345 a%2Fb', { hint: 'env-secret' })),
      { env: { SKULK_TOKEN: 'env-secret', HF_TOKEN: 'hub-secret' } },
    );
    expect(stderr).not.toMatch(/-secret|hf_abc/);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CONFIG' } });
  });

  test('control characters from outside do not reach the terminal', async () => {
    const { stderr } = await runWork(['work'], fail(new SkulkError('CONFIG', 'a\u001b[2Jb\u202ec')));
    expect(stderr).toBe('skulk: a\\x1b[2Jb\\u202ec\n');
  });
});

describe('signals', () => {
  test.each([
    ['SIGINT', 130, 'INTERRUPTED'],
    ['SIGTERM', 143, 'TERMINATED'],
  ] as const)('%s ends the work with status %i, and a second signal ends it at once', async (signal, expected, code) => {
    let send = (_: typeof signal): void => undefined;
    const result = await runWork(
      ['work', '--json'],
      async ({ world }) => {
        send(signal);
        send(signal);
        await sleep(10_000, undefined, { signal: world.signal });
      },
      { onStart: (sender) => (send = sender) },
    );
    expect(result).toMatchObject({ status: expected, exited: expected, stdout: '' });
    // In this test, the work continues after the exit and ends in the usual way.
    const lines = result.stderr.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ error: { code } }, { error: { code } }]);
  });
});

describe('events', () => {
  const report = async ({ world }: CommandContext): Promise<string> => {
    for (const bytesDone of [0, 1, 2, 10]) world.emit({ type: 'progress', doing: 'staging', subject: 'a/b', bytesDone, bytesTotal: 10 });
    world.emit({ type: 'warning', message: 'careful' });
    world.emit({ type: 'note', message: 'by the way' });
    world.emit({ type: 'waiting', message: 'waiting for pid 7' });
    return 'done';
  };

  test('are the first and the last line of a piece of work when stderr is not a terminal', async () => {
    const { stdout, stderr } = await runWork(['work'], report);
    expect(stdout).toBe('done\n');
    expect(stderr.split('\n')).toEqual([
      'staging a/b: 0% (0 B of 10 B)',
      'staging a/b: 100% (10 B of 10 B)',
      'skulk: warning: careful',
      'waiting for pid 7',
      '',
    ]);
  });

  test('are only warnings with --quiet, have no progress with --no-progress, and have notes with --verbose', async () => {
    expect((await runWork(['work', '-q'], report)).stderr).toBe('skulk: warning: careful\n');
    expect((await runWork(['work', '--no-progress'], report)).stderr).not.toContain('staging');
    expect((await runWork(['work', '-v'], report)).stderr).toContain('by the way');
  });

  test('are a bar on a terminal', async () => {
    let written = (): string => '';
    const slow = async (context: CommandContext): Promise<string> => {
      context.world.emit({ type: 'progress', doing: 'staging', subject: 'a/b', bytesDone: 3, bytesTotal: 10 });
      await until('the bar', () => /staging a\/b \[=+-+\] 30%/.test(written()), written);
      return report(context);
    };
    const { stderr } = await runWork(['work'], slow, { isTerminal: true, onStart: (_, stderrText) => (written = stderrText) });
    expect(stderr).toContain('100%');
  });
});

describe('a question on the terminal', () => {
  const ask = async ({ confirm, canAsk }: CommandContext): Promise<unknown> => (canAsk() ? confirm('Really?') : 'nobody there');

  test.each([
    ['y\n', 'true'],
    ['\n', 'false'],
    ['', 'false'],
  ])('answered with %j is %s', async (stdin, answer) => {
    expect((await runWork(['work'], ask, { stdin, isTerminal: true })).stdout).toContain(answer);
  });

  test('is asked on a terminal only', async () => {
    expect((await runWork(['work'], ask)).stdout).toBe('nobody there\n');
    expect(await runCli(['delete', 'a/b'], { cwd })).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--yes') });
  });
});
