import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { openSkulk, SkulkEvent } from '../../src/index.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { ownEnvironment } from '../helpers/own-environment.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import type { Serving } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = join(root, 'docs/examples/stage-and-run.ts');
const run = promisify(execFile);

const small = { 'config.json': '{}', 'weights/model.bin': noise(300_000, 3) };
/** It is sent in two pieces, the first of 16 MiB. */
const large = { 'config.json': '{}', 'weights/model.bin': noise(17_000_000, 3) };
const offLan = { SKULK_NO_MDNS: '1', SKULK_NO_DISCOVERY: '1', HF_HUB_OFFLINE: '1' };

/** A project that has installed the package made by npm pack. */
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'skulk-test-'));
  const own = join(project, 'node_modules/skulk');
  await mkdir(own, { recursive: true });
  const env = ownEnvironment({ npm_config_cache: join(project, 'cache'), npm_config_update_notifier: 'false' });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], { cwd: root, env });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run('tar', ['xzf', join(project, filename), '-C', own, '--strip-components=1']);
  // The packages that it depends on.
  await symlink(join(root, 'node_modules'), join(own, 'node_modules'));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await mkdir(join(project, 'node_modules/@types'));
  await symlink(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
});

afterAll(() => rm(project, { recursive: true, force: true }));

/** The package in this process. */
const load = async (): Promise<typeof import('../../src/index.ts')> =>
  (await import(pathToFileURL(join(project, 'node_modules/skulk/dist/index.js')).href)) as typeof import('../../src/index.ts');

/** A store host with one model, and the options of a node's library. */
async function storeWithModel(
  name = 'test/model',
  model: Readonly<Record<string, string | Uint8Array>> = small,
): Promise<{ served: Serving; node: { home: string; store: string; env: Env; cwd: string } }> {
  const work = await temporaryDirectory();
  await writeFiles(join(work, 'model'), model);
  const served = await serveInProcess({ home: join(work, 'host') });
  const added = await runInProcess(['add', join(work, 'model'), '--as', name], { env: { SKULK_HOME: served.home } });
  expect(added).toMatchObject({ status: 0 });
  return { served, node: { home: join(work, 'node'), store: served.url, env: ownEnvironment(offLan), cwd: work } };
}

type Env = Record<string, string>;
type Opened = Awaited<ReturnType<typeof openSkulk>>;

describe('the npm package, imported by its name', () => {
  longTest('runs the example of the docs, which prints its results and exits', async () => {
    const { node } = await storeWithModel();
    await copyFile(example, join(project, 'example.ts'));
    const env = ownEnvironment({ ...offLan, SKULK_HOME: node.home, SKULK_STORE: node.store });
    const ended = run(process.execPath, ['example.ts', 'test/model'], { cwd: project, env });
    const { stdout, stderr } = await within('the end of the example', ended);
    const copy = join(node.home, 'staging/test--model');
    expect(stdout.trim().split('\n')).toEqual([
      'code: MODEL_NOT_FOUND',
      'aborted: INTERRUPTED',
      `staged: ${copy} (store)`,
      `in the program: ${copy}`,
      'status: 0',
    ]);
    expect(stderr).toMatch(/^staging test\/model: 300002 of 300002 bytes$/m);
    expect(Object.keys(await digestsBelow(copy))).toEqual(expect.arrayContaining(['config.json', 'weights/model.bin']));
  });

  longTest('has types with which the example compiles in a strict project', async () => {
    await copyFile(example, join(project, 'example.ts'));
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      module: 'nodenext',
      target: 'es2022',
      noEmit: true,
      types: ['node'],
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['example.ts', 'wrong.ts'] }));
    await writeFile(
      join(project, 'wrong.ts'),
      `import { type ErrorCode, openSkulk, type StagePlanReport } from 'skulk';
const skulk = await openSkulk();
export const plan: StagePlanReport = await skulk.stage('a/b', { dryRun: true });
// @ts-expect-error no such code
export const code: ErrorCode = 'NO_SUCH_CODE';
// @ts-expect-error a report of a stage has no plan
(await skulk.stage('a/b')).planned;
// @ts-expect-error an id is needed
await skulk.add('path', {});
`,
    );
    const tsc = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
    expect(await tsc.catch((error: { stdout: string }) => ({ stdout: error.stdout }))).toMatchObject({ stdout: '' });
  });

  usualTest('prints nothing, and leaves the environment and the signals of the process alone', async () => {
    const { node } = await storeWithModel();
    await writeFile(
      join(project, 'quiet.mjs'),
      `import { writeFileSync } from 'node:fs';
import { openSkulk } from 'skulk';
const look = () => JSON.stringify({ env: process.env, umask: process.umask(), on: process.eventNames().map((name) => [String(name), process.listenerCount(name)]) });
const before = look();
const skulk = await openSkulk(${JSON.stringify(node)});
let during;
await skulk.stage('test/model', { onProgress: () => { during ??= look(); } });
await skulk.close();
writeFileSync('seen.json', JSON.stringify([before, during, look()]));
`,
    );
    const ended = run(process.execPath, ['quiet.mjs'], { cwd: project, env: ownEnvironment({}) });
    expect(await within('the end of the program', ended)).toMatchObject({ stdout: '', stderr: '' });
    const [before, during, after] = JSON.parse(await readFile(join(project, 'seen.json'), 'utf8')) as string[];
    expect(during).toBe(before);
    expect(after).toBe(before);
  });

  longTest('works on the disk of a store host without a server, and lets the program exit without close()', async () => {
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'model'), small);
    const options = { home, env: ownEnvironment(offLan), cwd: home };
    await writeFile(
      join(project, 'host.mjs'),
      `import { openSkulk } from 'skulk';
const skulk = await openSkulk(${JSON.stringify(options)});
const { outcome } = await skulk.add('model', { as: 'test/model' });
const { staged } = await skulk.stage('test/model');
const { ok } = await skulk.verify();
const { deleted } = await skulk.delete('test/model');
console.log(JSON.stringify([outcome, staged[0].source, ok, deleted]));
`,
    );
    const ended = run(process.execPath, ['host.mjs'], { cwd: project, env: ownEnvironment({}) });
    expect(JSON.parse((await within('the end of the program', ended)).stdout)).toEqual(['added', 'clone', true, ['test/model']]);
  });

  usualTest('has the same example on its page in the docs', async () => {
    expect(await readFile(join(root, 'docs/library.md'), 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``);
  });
});

describe('the Node.js library', () => {
  usualTest('returns the documents that the command prints with --json', async () => {
    const { node } = await storeWithModel();
    const skulk = await (await load()).openSkulk(node);
    const command = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await runInProcess([...args, '--json'], { env: { SKULK_HOME: node.home, SKULK_STORE: node.store } });
      return JSON.parse(stdout);
    };
    expect(await skulk.stage('test/model', { dryRun: true })).toMatchObject({ planned: [{ model_id: 'test/model', source: 'store' }] });
    expect(await skulk.stage(['test/model'])).toMatchObject({ staged: [{ model_id: 'test/model', source: 'store' }] });
    expect(await skulk.registry()).toEqual(await command('registry'));
    expect(await skulk.registry({ tags: ['vision'] })).toEqual({ entries: [] });
    expect(await skulk.show('test/model')).toEqual(await command('show', 'test/model'));
    expect(Object.keys(await skulk.health())).toEqual(Object.keys((await command('health')) as object));
    expect(await skulk.downloads()).toEqual(await command('downloads'));
    expect(await skulk.verify('test/model')).toEqual(await command('verify', 'test/model'));
    expect(await skulk.verify(undefined, { staging: true })).toEqual({
      ok: true,
      models: [{ model_id: 'test/model', status: 'ok', bad_files: [] }],
    });
    expect((await skulk.staging()).models).toEqual(((await command('staging')) as { models: unknown }).models);
    expect(await skulk.delete('test/model', { dryRun: true })).toEqual(await command('delete', 'test/model', '--dry-run'));
    expect(await skulk.purge({ dryRun: true })).toEqual(await command('purge-staging', '--dry-run'));
    expect(await skulk.purge({ model: 'test/model' })).toMatchObject({ evicted: [{ model_id: 'test/model' }], dry_run: false });
    expect(await skulk.add('model', { as: 'test/again' })).toMatchObject({ model_id: 'test/again', outcome: 'added' });
    expect(await skulk.delete(['test/again', 'test/model'])).toMatchObject({ deleted: ['test/again', 'test/model'] });
    expect(await command('registry')).toEqual({ entries: [] });
    await skulk.close();
  });

  usualTest('accepts a quantization wherever it accepts a model', async () => {
    const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': noise(3_000, 1), 'm-Q8_0.gguf': noise(4_000, 2) };
    const { node } = await storeWithModel('test/model', files);
    await using skulk = await (await load()).openSkulk(node);
    await skulk.stage(['test/model:Q4_K_M', 'test/model:Q8_0']);
    expect(await skulk.verify('test/model:q8_0', { staging: true })).toMatchObject({ ok: true, models: [{ selector: 'Q8_0' }] });
    expect(await skulk.verify(['test/model:Q8_0'])).toMatchObject({ models: [{ model_id: 'test/model', selector: 'Q8_0' }] });
    expect(await skulk.purge({ model: 'test/model:Q4_K_M' })).toMatchObject({ evicted: [{ reference: 'test/model:Q4_K_M' }] });
    expect(await skulk.purge({ model: ['test/model:Q8_0'], nodes: 'all' })).toMatchObject({ order: { selector: 'Q8_0' } });
    expect(await skulk.delete('test/model:Q4_K_M', { dryRun: true })).toMatchObject({ models: [{ files: ['m-Q4_K_M.gguf'] }] });
    expect(await skulk.delete('test/model:Q4_K_M')).toMatchObject({ deleted: ['test/model:Q4_K_M'] });
    expect((await skulk.show('test/model')).files.map(({ path }) => path)).toEqual(['config.json', 'm-Q8_0.gguf']);
    await expect(skulk.delete('test/model:Q2_K')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  longTest('works twice in one process, with two stores, and on one copy', async () => {
    const { openSkulk } = await load();
    const [one, two] = [await storeWithModel('test/one'), await storeWithModel('test/two')];
    await using first = await openSkulk(one.node);
    await using second = await openSkulk(two.node);
    await using third = await openSkulk(two.node);
    const [a, b, c] = await Promise.all([first.stage('test/one'), second.stage('test/two'), third.stage('test/two')]);
    expect(a.staged[0]?.path).toBe(join(one.node.home, 'staging/test--one'));
    expect(b.staged[0]?.path).toBe(join(two.node.home, 'staging/test--two'));
    expect([b, c].map(({ staged }) => staged[0]?.source).toSorted()).toEqual(['cache', 'store']);
    await expect(first.show('test/two')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect((await second.verify('test/two', { staging: true })).ok).toBe(true);
  });

  usualTest(
    'reports progress that ends with all bytes to the listeners of the call and of the instance, and nothing after the call',
    async () => {
      const { node } = await storeWithModel();
      const everything: SkulkEvent[] = [];
      await using skulk = await (await load()).openSkulk({ ...node, onEvent: (event) => everything.push(event) });
      const progress: SkulkEvent[] = [];
      await skulk.stage('test/model', { onProgress: (event) => progress.push(event) });
      const told = everything.length;
      expect(progress.at(-1)).toMatchObject({
        type: 'progress',
        doing: 'staging',
        subject: 'test/model',
        bytesDone: 300_002,
        bytesTotal: 300_002,
      });
      expect(everything.filter(({ type }) => type === 'progress')).toEqual(progress);
      await skulk.close();
      expect(everything.length).toBe(told);
    },
  );

  usualTest('fails an aborted stage with INTERRUPTED, and the next stage uses the received data', async () => {
    const { node } = await storeWithModel('test/model', large);
    const { openSkulk, SkulkError } = await load();
    await using skulk = await openSkulk(node);
    const abort = new AbortController();
    const reason = new Error('the user left');
    const stopped = skulk.stage('test/model', {
      signal: abort.signal,
      onProgress: ({ bytesDone }) => {
        if (bytesDone > 16_900_000) abort.abort(reason);
      },
    });
    const error = await stopped.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(SkulkError);
    expect(error).toMatchObject({ code: 'INTERRUPTED', cause: reason });
    expect((await skulk.staging()).models).toEqual([]);
    const { staged } = await skulk.stage('test/model');
    expect(staged[0]?.bytes_reused).toBeGreaterThan(0);
    expect((await skulk.verify('test/model', { staging: true })).ok).toBe(true);
    await expect(skulk.stage('test/model', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  longTest('ends the program that runs on a copy after an abort, and the copy is idle afterwards', async () => {
    const { node } = await storeWithModel();
    await using skulk = await (await load()).openSkulk(node);
    const abort = new AbortController();
    const began = join(node.cwd, 'began');
    const script = `require('fs').writeFileSync(${JSON.stringify(began)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const running = skulk.run('test/model', process.execPath, ['-e', script], { signal: abort.signal, output: 'ignore' });
    running.catch(() => undefined);
    await until('the program to begin', () =>
      access(began).then(
        () => true,
        () => false,
      ),
    );
    expect((await skulk.staging()).models).toMatchObject([{ in_use: true }]);
    abort.abort();
    await expect(within('the end of the program', running)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const pid = Number(await readFile(began, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect((await skulk.staging()).models).toMatchObject([{ in_use: false }]);
  });

  longTest('returns the output and the exit status of a program', async () => {
    const { node } = await storeWithModel();
    await using skulk = await (await load()).openSkulk(node);
    const said = { stdout: '', stderr: '' };
    const script = 'console.log(process.argv[1]); console.error("to stderr"); process.exitCode = 3';
    const output = (chunk: Uint8Array, from: 'stdout' | 'stderr'): void => {
      said[from] += Buffer.from(chunk).toString();
    };
    expect(await skulk.run('test/model', process.execPath, ['-e', script, '{model}'], { output })).toEqual({ status: 3 });
    expect(said).toEqual({ stdout: 'test/model\n', stderr: 'to stderr\n' });
    await expect(skulk.run('test/model', 'no-such-program')).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
  });

  usualTest('fails the call of a listener that throws with the same error, and no other call', async () => {
    const { node } = await storeWithModel();
    await using skulk = await (await load()).openSkulk(node);
    const fault = new TypeError('a listener is broken');
    const broken = (): never => {
      throw fault;
    };
    await expect(skulk.stage('test/model', { onProgress: broken })).rejects.toBe(fault);
    expect((await skulk.stage('test/model')).staged).toHaveLength(1);
  });

  usualTest('aborts running calls on close and waits for them, and refuses later calls with a clear message', async () => {
    const { node } = await storeWithModel();
    const skulk = await (await load()).openSkulk(node);
    let closed: Promise<void> | undefined;
    const close = (): void => {
      closed ??= skulk.close();
    };
    await expect(skulk.stage('test/model', { onProgress: close })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await closed;
    await expect(skulk.registry()).rejects.toMatchObject({ code: 'USAGE', message: 'this skulk is closed' });
    await using another = await (await load()).openSkulk(node);
    expect((await another.stage('test/model')).staged).toHaveLength(1);
    expect((await another.staging()).models).toMatchObject([{ in_use: false }]);
  });

  const wrong: Record<string, [(skulk: Opened) => Promise<unknown>, string]> = {
    'no model': [(skulk) => skulk.stage(undefined as unknown as string), 'USAGE'],
    'an empty list to delete': [(skulk) => skulk.delete([]), 'USAGE'],
    'an id that is none': [(skulk) => skulk.show('../etc'), 'BAD_MODEL_ID'],
    'no id to add as': [(skulk) => skulk.add('.', {} as { as: string }), 'USAGE'],
    'a number of connections that is too large': [(skulk) => skulk.stage('a/b', { connections: 33 }), 'USAGE'],
    'a rate that is not a number': [(skulk) => skulk.stage('a/b', { limitRate: Number.NaN }), 'USAGE'],
    'two revisions': [(skulk) => skulk.download('a/b@x', { revision: 'y' }), 'USAGE'],
    'arguments that are no list': [(skulk) => skulk.run('a/b', 'true', 'x' as unknown as string[]), 'USAGE'],
    'an output that is none': [(skulk) => skulk.run('a/b', 'true', [], { output: 'pipe' as 'ignore' }), 'USAGE'],
    'a program without a name': [(skulk) => skulk.run('a/b', ''), 'USAGE'],
  };
  usualTest('refuses wrong arguments with a code before it contacts the store', async () => {
    const home = await temporaryDirectory();
    const store = 'http://127.0.0.1:9';
    await using skulk = await (await load()).openSkulk({ home, store, env: offLan, cwd: home });
    for (const [what, [call, code]] of Object.entries(wrong))
      expect(await call(skulk).catch((error: { code?: string }) => error.code), what).toBe(code);
  });

  usualTest('fails with a code for an invalid configuration and for a store that does not answer', async () => {
    const home = await temporaryDirectory();
    const { openSkulk } = await load();
    await writeFile(join(home, 'bad.yaml'), 'model_store: 3');
    await expect(openSkulk({ home, env: offLan, cwd: home, config: 'bad.yaml' })).rejects.toMatchObject({ code: 'CONFIG' });
    await using skulk = await openSkulk({ home, env: offLan, cwd: home, store: 'http://127.0.0.1:9' });
    await expect(skulk.health()).rejects.toMatchObject({ name: 'SkulkError', code: 'STORE_UNREACHABLE' });
  });
});
