import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, link, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { adminKeyFile } from '../../src/core/access/admin-key.ts';
import { openStore } from '../../src/core/connect/open-store.ts';
import type { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { AddReport, AddRequest } from '../../src/core/operations/models/add/add-report.ts';
import { removeOrigin } from '../../src/core/operations/models/add/bring-files.ts';
import { addModel } from '../../src/core/operations/models/add.ts';
import { deleteModels } from '../../src/core/operations/models/delete-models.ts';
import { listRegistry } from '../../src/core/operations/models/list-registry.ts';
import { planDeletion } from '../../src/core/operations/models/plan-deletion.ts';
import { showModel } from '../../src/core/operations/models/show-model.ts';
import { verifyModels } from '../../src/core/operations/models/verify-models.ts';
import { createToken } from '../../src/core/operations/store/administer-store.ts';
import { serve } from '../../src/core/server/app/serve.ts';
import { canBringIn } from '../../src/core/store/ingest/find-place.ts';
import { makeIncomingPlace } from '../../src/core/store/ingest/incoming.ts';
import { scanDirectory, scanOrNothing } from '../../src/core/store/ingest/scan-directory.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { codeOf } from '../contract/store-contract.ts';
import { ensureAdminKey } from '../helpers/admin-key.ts';
import { digestsBelow, noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ownEnvironment } from '../helpers/own-environment.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

const modelId = parseModelId('org/name');

/** A home with a store in it, a directory to add from, and the operations on them. */
async function makeHome() {
  const home = await temporaryDirectory();
  const source = join(home, 'source');
  const root = join(home, 'store');
  await mkdir(source);
  // With a configured store, no command searches for one at the usual port of this machine.
  await mkdir(root);
  const world = testWorld(home);
  const deps = testDeps(world);
  const add = (request: Partial<AddRequest> = {}): Promise<AddReport> =>
    addModel(deps, { path: source, modelId, move: false, force: false, ...request });
  return { home, source, root, world, deps, add };
}

/** A server of that home's store in this process, stopped when the test ends. */
async function startServer({ deps, world }: Awaited<ReturnType<typeof makeHome>>): Promise<void> {
  const stop = new AbortController();
  let served: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    served = serve(
      { ...deps, world: { ...world, signal: stop.signal } },
      { role: 'auto', host: '127.0.0.1', port: 0, apiPort: 0, logLevel: 'silent', mdns: false },
      () => resolve(),
    );
    served.catch(reject);
  });
  onTestFinished(async () => {
    stop.abort(new Error('the test is over'));
    await served;
  });
}

const listed = async (home: Awaited<ReturnType<typeof makeHome>>): Promise<readonly string[]> =>
  (await listRegistry(home.deps, { tags: [] })).entries.map(({ model_id }) => model_id);
const leftovers = (root: string): Promise<string[]> => readdir(join(root, '.skulk/v1/incoming')).catch(() => []);

const oddNames = [
  'new\nline',
  'emoji 🐺.gguf',
  '-dash',
  '100%',
  '%41',
  'a#b',
  'q?',
  'dot.',
  ' space ',
  'ünï',
  'sub/dir/a+b',
  '..x',
  'files',
  'manifest',
];

describe.each(
  few([
    ['without a server', false],
    ['with a running server', true],
  ] as const),
)('%s', (_, hasServer) => {
  const make = async () => {
    const home = await makeHome();
    if (hasServer) await startServer(home);
    return home;
  };

  test('a directory is copied, without files that do not belong to a model', async () => {
    const home = await make();
    const files = { 'big.gguf': noise(17 * 1024 * 1024), 'sub/config.json': '{}', empty: '' };
    await writeFiles(home.source, { ...files, 'x.gguf.partial': 'x', '.git/HEAD': 'x', '.DS_Store': 'x', '.cache/huggingface/x': 'x' });
    const report = await home.add({ revision: 'v1' });
    expect(report).toMatchObject({ outcome: 'added', files: ['big.gguf', 'empty', 'sub/config.json'] });
    expect(report.skipped.map(({ path }) => path).toSorted()).toEqual(['.DS_Store', '.cache/huggingface', '.git', 'x.gguf.partial']);
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual(
      Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, sha256(bytes)])),
    );
    expect(Object.keys(await digestsBelow(home.source))).toHaveLength(7);
    expect(await leftovers(home.root)).toEqual([]);
    expect(await showModel(home.deps, { modelId })).toMatchObject({ revision: 'v1', hashed: true, digest: report.digest });
    expect((await home.add()).outcome).toBe('unchanged');
    expect(await leftovers(home.root)).toEqual([]);
  });

  test('a taken name is refused before a byte is copied, and the same content is not written again', async () => {
    const home = await make();
    await writeFiles(home.source, { 'a.bin': 'first', 'config.json': '{}' });
    await home.add();
    const done = async (request: Partial<AddRequest> = {}) => {
      home.world.events.length = 0;
      const result = await home.add(request).catch((error: SkulkError) => error.code);
      return { result, did: [...new Set(home.world.events.map((event) => (event.type === 'progress' ? event.doing : event.type)))] };
    };
    expect(await done()).toEqual({ result: expect.objectContaining({ outcome: 'unchanged', bytes_copied: 0 }), did: ['hashing'] });
    await writeFiles(home.source, { 'a.bin': 'other' });
    expect(await done()).toEqual({ result: 'CONFLICT', did: ['hashing'] });
    await writeFiles(home.source, { 'a.bin': 'longer' });
    expect(await done()).toEqual({ result: 'CONFLICT', did: [] });
    expect(await done({ modelId: parseModelId('org/NAME') })).toEqual({ result: 'CONFLICT', did: [] });
    expect(await leftovers(home.root)).toEqual([]);
    // The store's own copy was damaged, so the same content repairs it.
    await writeFiles(home.source, { 'a.bin': 'first' });
    await writeFiles(join(home.root, 'org--name'), { 'a.bin': 'worse' });
    expect(await done()).toMatchObject({ result: { outcome: 'replaced' }, did: ['hashing', 'copying'] });
    expect(await digestsBelow(join(home.root, 'org--name'))).toMatchObject({ 'a.bin': sha256('first') });
    expect(await done({ move: true })).toMatchObject({ result: { outcome: 'unchanged' } });
    expect(existsSync(home.source)).toBe(false);
  });

  test('files with unusual names keep their names', async () => {
    const home = await make();
    await writeFiles(home.source, Object.fromEntries(oddNames.map((name) => [name, name])));
    await home.add();
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual(Object.fromEntries(oddNames.map((name) => [name, sha256(name)])));
    expect(await verifyModels(home.deps, { refs: [{ modelId }], staging: false, repair: false })).toMatchObject({ ok: true });
  });

  test('a single file can be a model too', async () => {
    const home = await make();
    await writeFiles(home.source, { 'a.gguf': 'a', 'b.gguf': 'b' });
    expect(await home.add({ path: 'source/a.gguf' })).toMatchObject({ outcome: 'added', files: ['a.gguf'], total_bytes: 1 });
  });

  test('a directory in its place is adopted in place', async () => {
    const home = await make();
    await rename(home.source, join(home.root, 'org--name'));
    await writeFiles(join(home.root, 'org--name'), { 'a.gguf': 'a' });
    expect(await home.add({ path: 'store/org--name' })).toMatchObject({ outcome: 'adopted', bytes_copied: 0 });
    expect(await home.add({ path: 'store/org--name', move: true })).toMatchObject({ outcome: 'unchanged', bytes_copied: 0 });
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual({ 'a.gguf': sha256('a') });
  });

  test('an original that cannot be removed after --move does not hide that the model was added', async () => {
    const source = await temporaryDirectory();
    await writeFiles(source, { x: 'x' });
    // No user can remove a file with such a name.
    const absolute = join(source, 'x'.repeat(300));
    const files = (await scanDirectory(source)).files.map((file) => ({ ...file, absolute }));
    expect(files).toHaveLength(1);
    await expect(removeOrigin(files, { isDirectory: false, source: absolute, mayGo: () => true })).rejects.toMatchObject({
      message: expect.stringContaining('the model is in the store, but its original cannot be removed: the name is too long'),
    });
  });

  test('--move renames files, replaces links by files, and leaves only other files behind', async () => {
    const home = await make();
    await writeFiles(home.source, { 'blobs/x': 'content', 'sub/.DS_Store': 'x' });
    await symlink('blobs/x', join(home.source, 'model.gguf'));
    await symlink('../blobs/x', join(home.source, 'sub', 'again'));
    expect(await home.add({ move: true })).toMatchObject({ outcome: 'added', bytes_copied: 0 });
    const digest = sha256('content');
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual({ 'blobs/x': digest, 'model.gguf': digest, 'sub/again': digest });
    expect(await readdir(home.source, { recursive: true })).toEqual(['sub', join('sub', '.DS_Store')]);
  });

  test.each([
    ['before the last file was moved', false],
    ['before the last file was moved, beside a server', true],
    ['after the last file was moved', false, 'intents/org--m.json'],
  ])('--move that was killed %s is repeated with all files', async (_, isServed, at?: string) => {
    const home = await temporaryDirectory();
    const source = join(home, 'm');
    await writeFiles(source, { 'a.bin': 'a', 'config.json': '{}', 'sub/b.bin': 'b' });
    const env = { SKULK_HOME: join(home, 'host') };
    if (isServed) {
      const served = await serveInProcess({ home: join(home, 'host') });
      onTestFinished(() => served[Symbol.asyncDispose]());
    }
    const args = ['add', source, '--as', 'org/m', '--move'];
    const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;
    const last = (await scanDirectory(source)).files.at(-1)?.path;
    const end = at ?? `files/${last}`;
    const killed = await runSkulk(args, { env: { ...env, NODE_OPTIONS: `--import=${killer}`, SKULK_TEST_KILL_AT: `rename ${end}` } });
    expect(killed).toMatchObject({ signal: 'SIGKILL' });
    expect((await scanOrNothing(source))?.files.map(({ path }) => path)).toEqual(at === undefined ? [last] : undefined);
    const again = await runInProcess(args, { env });
    expect(again, again.stderr).toMatchObject({ status: 0, stderr: expect.stringContaining(`its moved files are back in ${source}`) });
    const place = join(home, 'host/store/org--m');
    expect(await digestsBelow(place)).toEqual({ 'a.bin': sha256('a'), 'config.json': sha256('{}'), 'sub/b.bin': sha256('b') });
    await expect(readdir(source)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('--move that was killed after its change was recorded leaves the files to the store, which completes it', async () => {
    const home = await temporaryDirectory();
    const source = join(home, 'm');
    await writeFiles(source, { 'a.bin': 'a', 'config.json': '{}' });
    await writeFiles(join(home, 'other'), { 'b.bin': 'b' });
    const env = { SKULK_HOME: join(home, 'host') };
    const args = ['add', source, '--as', 'org/m', '--move'];
    const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;
    const options = { ...env, NODE_OPTIONS: `--import=${killer}`, SKULK_TEST_KILL_AT: 'rename store/org--m' };
    expect(await runSkulk(args, { env: options })).toMatchObject({ signal: 'SIGKILL' });
    expect(await runInProcess(args, { env })).toMatchObject({ status: 5, stderr: expect.stringContaining('is not finished') });
    expect(await runInProcess(['add', join(home, 'other'), '--as', 'org/other'], { env })).toMatchObject({ status: 0 });
    expect(await digestsBelow(join(home, 'host/store/org--m'))).toEqual({ 'a.bin': sha256('a'), 'config.json': sha256('{}') });
  });

  test('--move of a refused directory restores everything', async () => {
    const home = await make();
    await writeFiles(home.source, { 'a.gguf': 'first' });
    await home.add();
    await writeFiles(home.source, { 'a.gguf': 'second', 'sub/b': 'b' });
    for (const name of ['0', 'link', 'zz']) await symlink('a.gguf', join(home.source, name));
    const before = await readdir(home.source, { recursive: true });
    expect(await codeOf(home.add({ move: true }))).toBe('CONFLICT');
    expect((await readdir(home.source, { recursive: true })).toSorted()).toEqual(before.toSorted());
    for (const name of ['0', 'link', 'zz']) expect(await readlink(join(home.source, name))).toBe('a.gguf');
    expect(await readFile(join(home.source, 'link'), 'utf8')).toBe('second');
    expect(await leftovers(home.root)).toEqual([]);
    expect(await home.add({ move: true, force: true })).toMatchObject({ outcome: 'replaced' });
    expect(existsSync(home.source)).toBe(false);
  });

  test('a directory that is not in the registry is not replaced or removed', async () => {
    const home = await make();
    await writeFiles(join(home.root, 'org--name'), { mine: 'mine' });
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await expect(home.add()).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('not in the registry') });
    expect(await codeOf(deleteModels(home.deps, { refs: [{ modelId }], force: false }))).toBe('MODEL_NOT_FOUND');
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual({ mine: sha256('mine') });
  });

  test('delete removes one model and no other, and also an entry without a directory', async () => {
    const home = await make();
    const other = parseModelId('other');
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await home.add();
    await home.add({ modelId: other });
    expect(await deleteModels(home.deps, { refs: [{ modelId }], force: false })).toMatchObject({ deleted: [modelId], freed_bytes: 1 });
    expect(await listed(home)).toEqual([other]);
    const recorded = (await readdir(join(home.root, '.skulk'), { recursive: true })).filter((path) => path.includes('name'));
    expect(recorded, 'records of the deleted model').toEqual([]);
    await rename(join(home.root, 'other'), join(home.home, 'away'));
    expect(await listed(home)).toEqual([]);
    expect(await planDeletion(home.deps, { refs: [{ modelId: other }] })).toMatchObject({ models: [{ model_id: other, total_bytes: 0 }] });
    await deleteModels(home.deps, { refs: [{ modelId: other }], force: false });
    expect(await codeOf(planDeletion(home.deps, { refs: [{ modelId: other }] }))).toBe('MODEL_NOT_FOUND');
    expect(await digestsBelow(join(home.home, 'away'))).toEqual({ 'a.gguf': sha256('a') });
  });

  test('delete of several models reports the completed ones when one of them fails', async () => {
    const home = await make();
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await home.add();
    await expect(deleteModels(home.deps, { refs: [{ modelId }, { modelId: parseModelId('nope') }], force: false })).rejects.toMatchObject({
      code: 'PARTIAL',
      message: expect.stringContaining('org/name'),
    });
  });
});

describe('an add is refused before anything is written', () => {
  const cases: readonly [string, string, RegExp, (source: string) => Promise<unknown>, Partial<AddRequest>?][] = [
    ['a path that is missing', 'FILE_NOT_FOUND', /does not exist/, async () => {}, { path: 'nope' }],
    ['an empty directory', 'USAGE', /contains no files/, async () => {}],
    ['directories only', 'USAGE', /contains no files/, (source) => mkdir(join(source, 'a/b'), { recursive: true })],
    ['a link that leaves', 'BAD_PATH', /outside the directory/, (source) => symlink('/etc/hostname', join(source, 'link'))],
    ['a link that leads nowhere', 'BAD_PATH', /broken symbolic link/, (source) => symlink('nope', join(source, 'link'))],
    [
      'a link to a directory',
      'BAD_PATH',
      /not a file/,
      async (source) => {
        await writeFiles(source, { 'sub/a': 'a' });
        await symlink('sub', join(source, 'link'));
      },
    ],
    ['a pipe', 'BAD_PATH', /socket, a pipe or a device/, async (source) => spawnSync('mkfifo', [join(source, 'fifo')])],
    [
      'a socket',
      'BAD_PATH',
      /socket, a pipe or a device/,
      async (source) => {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(join(source, 's'), resolve));
        onTestFinished(() => void server.close());
      },
    ],
    ['a device', 'BAD_PATH', /socket, a pipe or a device/, async () => {}, { path: '/dev/null' }],
    ['a name with a backslash', 'BAD_PATH', /backslash/, (source) => writeFile(join(source, 'a\\b'), 'x')],
    [
      'a name that is not UTF-8',
      'BAD_PATH',
      /not UTF-8/,
      (source) => writeFile(Buffer.concat([Buffer.from(join(source, 'x')), Buffer.from([0xff])]), 'x'),
    ],
    [
      'an address of a model',
      'FILE_NOT_FOUND',
      /^https:\/\/hf\.co\/a\/b is a URL, not a path$/,
      () => Promise.resolve(),
      { path: 'https://hf.co/a/b' },
    ],
    ['an unfinished download', 'USAGE', /unfinished/, (source) => writeFile(join(source, 'x.partial'), 'x'), { path: 'source/x.partial' }],
  ];
  usualTest.each(cases)('%s', async (_, code, says, prepare, request) => {
    const home = await makeHome();
    await prepare(home.source);
    const error = await home.add(request).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says), hint: expect.any(String) });
    expect(await readdir(home.root)).toEqual([]);
  });

  usualTest('for the store itself and paths inside it', async () => {
    const home = await makeHome();
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await home.add();
    expect(await codeOf(home.add({ path: home.home, modelId: parseModelId('other') }))).toBe('USAGE');
    expect(await codeOf(home.add({ path: join(home.root, '.skulk/v1/manifests'), modelId: parseModelId('other') }))).toBe('USAGE');
    expect(await codeOf(home.add({ path: join(home.root, 'org--name'), modelId: parseModelId('other'), move: true }))).toBe('USAGE');
    expect(await listed(home)).toEqual([modelId]);
  });

  usualTest('for the key of this machine, also by another name', async () => {
    const home = await makeHome();
    const key = await ensureAdminKey(home.home, () => undefined);
    await writeFiles(home.source, { 'a.gguf': 'a', 'note.txt': 'x'.repeat(key.length + 1) });
    await link(adminKeyFile(home.home), join(home.source, 'harmless.txt'));
    const error = await home.add().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('the key of this machine') });
    expect(await codeOf(home.add({ path: adminKeyFile(home.home) }))).toBe('USAGE');
    expect(await readdir(home.root)).toEqual([]);
    await rm(join(home.source, 'harmless.txt'));
    await home.add();
    expect(await listed(home)).toEqual([modelId]);
  });

  usualTest.each([
    ['the configuration file that contains it', { SKULK_CONFIG: 'own/skulk.yaml' }],
    ['the file of the tools of Hugging Face', { SKULK_CONFIG: 'own/empty.yaml', HF_TOKEN_PATH: 'own/token' }],
  ])('for a token of this machine in %s', async (_, files) => {
    const { home, source } = await makeHome();
    await writeFiles(home, { 'own/skulk.yaml': 'hf_token: hf_abcdefgh\n', 'own/token': 'hf_abcdefgh\n', 'own/empty.yaml': '' });
    await writeFiles(source, { 'a.gguf': 'a' });
    const env = { SKULK_HOME: home, ...Object.fromEntries(Object.entries(files).map(([name, path]) => [name, join(home, path)])) };
    await link(join(home, Object.values(files).at(-1) ?? ''), join(source, 'readme.txt'));
    expect(await runInProcess(['add', source, '--as', 'org/m'], { env })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/contains a token of this machine: .*readme\.txt\nhint: /),
    });
    await rm(join(source, 'readme.txt'));
    expect(await runInProcess(['add', source, '--as', 'org/m'], { env })).toMatchObject({ status: 0 });
  });

  usualTest('for a token that may not add models', async () => {
    const home = await makeHome();
    await startServer(home);
    await writeFiles(home.source, { 'a.gguf': 'a' });
    const { token } = await createToken(home.deps, { name: 'reader', role: 'read' });
    const world = testWorld(home.home, { env: { SKULK_TOKEN: token } });
    const add = (path: string) => addModel(testDeps(world), { path, modelId, move: false, force: false });
    await expect(add(home.source)).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('may not change models') });
    expect(world.events.filter(({ type }) => type === 'progress')).toEqual([]);
    expect(await leftovers(home.root)).toEqual([]);
  });

  usualTest('for a store that this user may not change', wants('a user who is not root'), async () => {
    const home = await makeHome();
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await home.add();
    home.world.events.length = 0;
    const other = { modelId: parseModelId('other') };
    await chmod(home.root, 0o555);
    onTestFinished(() => chmod(home.root, 0o755));
    await expect(home.add(other)).rejects.toMatchObject({ code: 'PERMISSION', message: expect.stringContaining(home.root) });
    await chmod(home.root, 0o755);
    // As if another user had made the directory that the server should take the files from.
    const place = await makeIncomingPlace(storeLayout(home.root), other.modelId);
    await using opened = await openStore(home.deps);
    await chmod(place.path, 0o555);
    await expect(opened.store.findPlace({ ...other, incoming: place.name })).rejects.toMatchObject({ code: 'PERMISSION' });
    await chmod(place.path, 0o755);
    expect(await opened.store.findPlace({ ...other, incoming: place.name })).toEqual({ entry: null, is_untouched: false });
    expect(home.world.events.filter(({ type }) => type === 'progress')).toEqual([]);
  });

  longTest('for another user of this machine without a server; with one, the model is uploaded', wants('root'), async ({ skip }) => {
    const home = await temporaryDirectory();
    await chmod(home, 0o755);
    await writeFiles(join(home, 'm'), { 'a.gguf': 'a' });
    const env = { SKULK_HOME: join(home, 'own') };
    expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env })).status).toBe(0);
    const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));
    await mkdir(join(home, 'other'));
    await chown(join(home, 'other'), 65_534, 65_534);
    const asOther = async (args: readonly string[], more: Readonly<Record<string, string>>) => {
      const child = spawn(process.execPath, [bin, ...args], {
        ...{ uid: 65_534, gid: 65_534, cwd: '/' },
        env: ownEnvironment({ SKULK_HOME: join(home, 'other'), SKULK_NO_DISCOVERY: '1', NODE_COMPILE_CACHE: '', ...more }),
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const [status] = await once(child, 'close');
      return { status, stderr };
    };
    if ((await asOther(['--version'], {})).status !== 0) skip('this user has the program in a directory that nobody else may read');
    const args = ['add', join(home, 'm'), '--as', 'me/other'];
    const refused = await asOther(args, env);
    expect(refused, refused.stderr).toMatchObject({ status: 2, stderr: expect.stringMatching(/belongs to root: .* sudo -u root -H\n/) });
    const host = await serveInProcess({ home: join(home, 'own') });
    const { token } = await createToken(testDeps(testWorld(join(home, 'own'))), { name: 'other', role: 'node' });
    const sent = await asOther(args, { SKULK_STORE: host.url, SKULK_TOKEN: token });
    expect(sent, sent.stderr).toMatchObject({ status: 0 });
    expect(await digestsBelow(join(home, 'own/store/me--other'))).toEqual({ 'a.gguf': sha256('a') });
    // A server of that user could not take out what root put there.
    const layout = storeLayout(join(home, 'own/store'));
    expect(await canBringIn(layout)).toBe(true);
    await chown(layout.incoming, 65_534, 65_534);
    expect(await canBringIn(layout)).toBe(false);
    // It creates none of its directories either.
    await rm(layout.incoming, { recursive: true });
    expect(await canBringIn(layout)).toBe(true);
    await chown(dirname(layout.incoming), 65_534, 65_534);
    expect(await canBringIn(layout)).toBe(false);
  });

  usualTest('for a link that leads out of the store in the place of a model', async () => {
    const home = await makeHome();
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await symlink(home.source, join(home.root, 'org--name'));
    expect(await codeOf(home.add())).toBe('BAD_PATH');
    expect(await digestsBelow(home.source)).toEqual({ 'a.gguf': sha256('a') });
  });

  usualTest('for an unreadable file', wants('a user who is not root'), async () => {
    const home = await makeHome();
    await writeFiles(home.source, { 'a.gguf': 'a' });
    await chmod(join(home.source, 'a.gguf'), 0);
    expect(await codeOf(home.add())).toBe('PERMISSION');
  });

  const mount = (directory: string): boolean =>
    process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]).status === 0;

  usualTest('--move to another disk copies, then removes', async (context) => {
    const home = await makeHome();
    if (!mount(home.root)) return context.skip('no tmpfs can be mounted here');
    onTestFinished(() => void spawnSync('umount', [home.root]));
    await writeFiles(home.source, { 'sub/a.gguf': 'a' });
    await symlink('sub/a.gguf', join(home.source, 'link'));
    expect(await home.add({ move: true })).toMatchObject({ outcome: 'added', bytes_copied: 2 });
    expect(await digestsBelow(join(home.root, 'org--name'))).toEqual({ link: sha256('a'), 'sub/a.gguf': sha256('a') });
    expect(existsSync(home.source)).toBe(false);
  });

  usualTest('a model that does not fit and a disk that fills lose nothing and leave nothing behind', async (context) => {
    const home = await makeHome();
    if (!mount(home.root)) return context.skip('no tmpfs can be mounted here');
    onTestFinished(() => void spawnSync('umount', [home.root]));
    await writeFiles(home.source, { 'a.gguf': noise(3_000_000) });
    expect(await codeOf(home.add())).toBe('NO_SPACE');
    expect(await leftovers(home.root)).toEqual([]);
    const small = join(home.home, 'small');
    await writeFiles(small, { 'a.gguf': noise(1_000_000) });
    await home.add({ path: small });
    // Now the disk is filled to the last block, so that not even the registry can be written.
    const filler = join(home.root, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
    const registry = await readFile(join(home.root, 'registry.json'), 'utf8');
    await writeFiles(home.source, { 'a.gguf': 'tiny' });
    expect(await codeOf(home.add({ modelId: parseModelId('other') }))).toBe('NO_SPACE');
    expect(await readFile(join(home.root, 'registry.json'), 'utf8')).toBe(registry);
    expect(await listed(home)).toEqual([modelId]);
    expect(await leftovers(home.root)).toEqual([]);
    spawnSync('rm', [filler]);
    await home.add({ modelId: parseModelId('other') });
    expect(await listed(home)).toEqual([modelId, 'other']);
    expect(await verifyModels(home.deps, { refs: [], staging: false, repair: false })).toMatchObject({ ok: true });
  });
});

usualTest('a machine that finds no store says once that it created one of its own', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'source');
  await writeFiles(source, { 'a.gguf': 'a' });
  const add = (name: string) => runInProcess(['add', source, '--as', name], { env: { SKULK_HOME: home } });
  const says = `no store was found, so one was created on this machine, in ${join(home, 'store')}`;
  expect(await add('org/one')).toMatchObject({ status: 0, stderr: expect.stringContaining(says) });
  expect(await add('org/two')).toMatchObject({ status: 0, stderr: expect.not.stringContaining('no store was found') });
  const health = await runInProcess(['health'], { env: { SKULK_HOME: home } });
  expect(health).toMatchObject({ status: 0, stdout: expect.stringMatching(/reachable +on this disk only: no server is running\n/) });
  const quiet = await runInProcess(['add', source, '--as', 'org/three', '-q'], { env: { SKULK_HOME: home } });
  expect(quiet).toMatchObject({ status: 0, stdout: expect.stringMatching(/^org\/three: added, .*\n$/) });
});
