import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { access, chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { isLong, longTest, rounds, seededRandom, sized, testSeed } from '../helpers/seeded.ts';
import { type RunningSkulk, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The command lines on this machine that name a directory of the test. */
const leftOver = (directory: string): string => {
  if (process.platform !== 'linux') return '';
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  });
  return lines.filter((line) => line.includes(directory)).join('\n');
};

/** Runs a shell command in which `skulk` is this skulk. */
function shell(line: string, env: Record<string, string | undefined>, cwd = '/') {
  const skulk = `${quote(process.execPath)} ${quote(bin)}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `skulk() { ${skulk} "$@"; }; ${line}`], {
    encoding: 'utf8',
    // It does not find a store that another program serves on this machine.
    env: { PATH: process.env['PATH'], SKULK_NO_DISCOVERY: '1', ...env },
    cwd,
  });
  return { status, stdout, stderr };
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
] as const)('%s at any moment', (signal, expected) => {
  const random = seededRandom(testSeed);

  /** Sends the signal after a while; a command that ended before it has status 0. */
  async function interrupt(running: RunningSkulk, maxMs: number): Promise<number | null> {
    await Promise.race([sleep(40 + random() * maxMs), running.exited]);
    running.child.kill(signal);
    const ended = await within(`the end after ${signal}`, running.exited, running.stderr);
    // Before the shell handles signals, the system ends the process.
    const status = ended.signal === null ? ended.status : expected;
    expect([0, expected], `SKULK_TEST_SEED=${testSeed}: ${ended.stderr}`).toContain(status);
    expect(ended.stderr).not.toMatch(/\bat .*\.js:\d+|is a bug in skulk/);
    // After the result is printed, the system may end the process.
    if (ended.signal === null && status !== 0) expect(ended.stdout).toBe('');
    if (signal === 'SIGINT' && ended.signal === null && status === expected) expect(ended.stderr).toContain('skulk: interrupted');
    return status;
  }

  // SIGHUP is treated like SIGTERM; in the short form each command gets one of the other signals.
  test.runIf(isLong || signal === 'SIGINT')('during an add leaves the store unchanged or with the whole model', async () => {
    const home = await temporaryDirectory();
    const source = join(home, 'm');
    await writeFiles(source, { a: noise(sized({ small: 5e6, large: 20e6 }), 1), b: 'b' });
    const whole = await digestsBelow(source);
    const env = { SKULK_HOME: home };
    for (let round = 0; round < rounds({ few: 2, many: 8 }); round += 1) {
      const status = await interrupt(startSkulk(['add', source, '--as', 'org/m'], { env }), 350);
      const { entries } = JSON.parse((await runInProcess(['registry', '--json'], { env })).stdout || '{"entries":[]}') as {
        entries: unknown[];
      };
      if (status === 0) expect(entries).toHaveLength(1);
      if (entries.length > 0) {
        expect(await digestsBelow(join(home, 'store', 'org--m'))).toEqual(whole);
        expect((await runInProcess(['delete', 'org/m', '--yes'], { env })).status).toBe(0);
      }
    }
    expect((await runInProcess(['add', source, '--as', 'org/m'], { env })).status).toBe(0);
    expect((await readdir(join(home, 'store', '.skulk', 'v1', 'incoming'))).length).toBe(0);
    expect(leftOver(home)).toBe('');
  });

  test.runIf(isLong || signal === 'SIGTERM')('during a stage or a verify leaves no process, and the next run resumes', async () => {
    const { url } = await serveModels({ 'org/m': { a: noise(sized({ small: 17e6, large: 30e6 }), 2), b: 'b' } });
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, SKULK_STORE: url };
    for (let round = 0; round < rounds({ few: 2, many: 8 }); round += 1) {
      const status = await interrupt(startSkulk(['stage', 'org/m', '--force', '--limit-rate', '100M'], { env }), 700);
      const copy = join(home, 'staging', 'org--m');
      if (status === 0 || (await exists(copy))) expect(Object.keys(await digestsBelow(copy)).sort()).toEqual(['a', 'b']);
    }
    expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
    for (let round = 0; round < rounds({ few: 1, many: 5 }); round += 1) await interrupt(startSkulk(['verify', '--staging'], { env }), 300);
    expect((await runInProcess(['verify', '--staging'], { env })).status).toBe(0);
    expect(leftOver(home)).toBe('');
  });

  test.runIf(isLong || signal === 'SIGTERM')('ends a server with status 0 once it serves', async () => {
    const home = await temporaryDirectory();
    const served = await startServe({ home });
    served.running.child.kill(signal);
    const { status, stderr } = await served.running.exited;
    expect([status, /is a bug/.test(stderr)]).toEqual([0, false]);
    expect(stderr).toContain('the server has stopped');
    // The next one takes over at once.
    const next = await serveInProcess({ home });
    expect((await next.stop()).status).toBe(0);
  });
});

describe('a command in an unusual environment', () => {
  longTest('does not fail when its reader leaves early, and prints nothing about it', async () => {
    const home = await temporaryDirectory();
    await mkdir(join(home, 'store'));
    const entry = (id: string) => ({
      model_id: id,
      store_path: id.replace('/', '--'),
      files: ['a'],
      downloaded_at: '2026-01-01T00:00:00Z',
      total_bytes: 1,
      repo_has_projector: null,
    });
    const ids = Array.from({ length: sized({ small: 1000, large: 3000 }) }, (_, n) => `org/model-with-quite-a-long-name-${n}`);
    await writeFiles(join(home, 'store'), Object.fromEntries(ids.map((id) => [`${id.replace('/', '--')}/a`, 'a'])));
    await writeFiles(join(home, 'store'), {
      'registry.json': JSON.stringify(Object.fromEntries(ids.map((id) => [id, entry(id)]))),
    });
    for (const line of [
      'skulk registry | head -1',
      'skulk registry --json | head -c 1',
      'skulk --help | head -1',
      'skulk registry | true',
    ]) {
      const { stderr, stdout, status } = shell(`set -o pipefail; ${line}`, { SKULK_HOME: home, HOME: home });
      expect([stderr.replace(/.*warning.*\n(hint.*\n)?/g, ''), status === 0 || status === 141 || status === 3], line).toEqual(['', true]);
      expect(stdout.length).toBeLessThan(400);
    }
    const closed = shell('skulk --version >&-; echo "status $?"', { SKULK_HOME: home, HOME: home });
    expect(closed.stderr).not.toMatch(/\bat .*:\d+:\d+/);
    const full = shell('skulk --version > /dev/full; echo "status $?"', { SKULK_HOME: home, HOME: home });
    expect(full.stdout).not.toContain('status 0');
  });

  longTest('works without HOME', async () => {
    const home = await temporaryDirectory();
    const host = await temporaryDirectory();
    await writeFiles(join(host, 'm'), { a: 'a' });
    // The shell blocks this process, so the server is another one.
    const served = await startServe({ home: host });
    expect((await runInProcess(['add', join(host, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: host } })).status).toBe(0);
    const staged = shell('skulk stage org/m', { SKULK_HOME: home, SKULK_STORE: served.url });
    await served.stop();
    expect(staged).toMatchObject({ status: 0, stdout: `${home}/staging/org--m\n` });
    for (const bad of ['', 'relative', '/nowhere']) {
      const { status, stderr } = shell('skulk config show', { HOME: bad });
      expect([status, stderr], bad).toEqual([0, '']);
    }
  });

  test('works when its working directory was removed', async () => {
    const home = await temporaryDirectory();
    expect(shell(`mkdir ${home}/gone; cd ${home}/gone; rmdir ${home}/gone; skulk config show`, { HOME: home }).status).toBe(0);
  });
});

/** All commands in the long form; the first two in the short form, because each is a process that compiles skulk anew. */
const some = <T>(commands: readonly T[]): readonly T[] => (isLong ? commands : commands.slice(0, 2));

/** Masks, and the modes that they leave; the short form has the strictest. */
const masks: readonly (readonly [string, number, number])[] = [
  ['077', 0o700, 0o600],
  ['002', 0o775, 0o664],
  ['022', 0o755, 0o644],
];

describe('access to files that skulk creates', () => {
  longTest.each(isLong ? masks : masks.slice(0, 1))('is decided by umask %s', async (umask, directoryMode, fileMode) => {
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'm'), { a: 'a', 'sub/b': 'b' });
    await chmod(join(home, 'm', 'a'), 0o644);
    const line = `umask ${umask}; skulk add ${home}/m --as org/m && skulk stage org/m`;
    expect(shell(line, { SKULK_HOME: join(home, 'own'), HOME: home })).toMatchObject({ status: 0 });
    const modeOf = async (path: string): Promise<string> => ((await stat(join(home, 'own', path))).mode & 0o777).toString(8);
    for (const root of ['store', 'staging']) {
      expect(await modeOf(`${root}/org--m`), root).toBe(directoryMode.toString(8));
      expect(await modeOf(`${root}/org--m/sub`), root).toBe(directoryMode.toString(8));
      expect(await modeOf(`${root}/org--m/sub/b`), root).toBe(fileMode.toString(8));
    }
    expect(await modeOf('store/registry.json')).toBe(fileMode.toString(8));
  });

  longTest('is refused to another user with a clear message, not a stack', wants('root'), async () => {
    const home = await temporaryDirectory();
    await chmod(home, 0o755);
    await writeFiles(join(home, 'm'), { a: 'a' });
    expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: join(home, 'own') } })).status).toBe(0);
    expect((await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: join(home, 'own') } })).status).toBe(0);
    const as = async (...args: string[]) => {
      const child = spawn(process.execPath, [bin, ...args], {
        uid: 65534,
        gid: 65534,
        cwd: '/',
        env: {
          PATH: process.env['PATH'],
          HOME: '/nowhere',
          SKULK_HOME: join(home, 'own'),
          SKULK_NO_DISCOVERY: '1',
          NODE_COMPILE_CACHE: '',
        },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (text) => {
        stdout += String(text);
      });
      child.stderr.on('data', (text) => {
        stderr += String(text);
      });
      const [status] = await once(child, 'close');
      return { status, stdout, stderr };
    };
    const changes = [
      ['add', join(home, 'm'), '--as', 'org/n'],
      ['delete', 'org/m', '--yes'],
      ['purge-staging'],
      ['serve', '--port', '0', '--api-port', '0'],
    ];
    for (const args of some(changes)) {
      const { status, stderr } = await as(...args);
      expect([status, /permission denied|not permitted|cannot be written/.test(stderr)], `${args[0]}: ${stderr}`).toEqual([2, true]);
    }
    // The copy is good; a failure to record its use does not prevent reading it.
    const ran = await as('run', 'org/m', '--', 'true');
    expect(ran).toMatchObject({ status: 0, stderr: expect.stringContaining('is not recorded') });
    for (const args of some([['stage', 'org/m', '--offline'], ['registry'], ['show', 'org/m'], ['staging']]))
      expect(await as(...args), args[0]).toMatchObject({ status: 0 });
    await chmod(join(home, 'own', 'store'), 0o700);
    await chmod(join(home, 'own', 'staging'), 0o700);
    for (const args of some([['registry'], ['stage', 'org/m', '--offline'], ['doctor'], ['verify'], ['staging']])) {
      const { status, stderr } = await as(...args);
      expect([status === 2 || status === 3, /bug in skulk|\bat .*:\d+:\d+/.test(stderr)], `${args[0]}: ${status} ${stderr}`).toEqual([
        true,
        false,
      ]);
    }
    // One check that cannot be made does not prevent the others.
    const { checks } = JSON.parse((await as('doctor', '--json')).stdout) as { checks: { id: string; status: string }[] };
    expect(checks.filter(({ status }) => status === 'problem').map(({ id }) => id)).toContain('staging path');
  });
});

describe('a long path', () => {
  longTest('of 4,000 characters works as far as the system allows it, and is refused with a clear message beyond', async () => {
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'm'), { a: 'a', [`${'deep/'.repeat(20)}b`]: 'b' });
    const long = (length: number): string => `${home}/${'x'.repeat(200).concat('/').repeat(30)}`.slice(0, length).replace(/\/+$/, 'y');
    for (const length of isLong ? [3_000, 3_800, 4_000, 4_090, 5_000] : [3_000, 4_090]) {
      const env = { SKULK_HOME: long(length) };
      for (const args of [['add', join(home, 'm'), '--as', 'org/m'], ['stage', 'org/m'], ['staging'], ['doctor']]) {
        const { status, stderr } = await runInProcess(args, { env });
        expect(stderr, `${length}, ${args[0]}`).not.toMatch(/bug in skulk|\bat .*:\d+:\d+/);
        if (length === 3_000) expect(status, `${args[0]}: ${stderr}`).toBe(0);
      }
    }
  });
});
