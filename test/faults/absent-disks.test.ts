import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { few, isLong, longTest } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import type { Ended } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 2 ** 20;
const listen = ['--host', '127.0.0.1', '--port', '0', '--api-port', '0'] as const;
const serve = (home: string, root: string, ...more: readonly string[]): Promise<Ended> =>
  runInProcess(['serve', ...listen, '--store-path', root, ...more], { env: { SKULK_HOME: home } });
const idOf = async (root: string): Promise<string> => JSON.parse(await readFile(join(root, '.skulk', 'v1', 'store.json'), 'utf8')).id;
const known = async (home: string) => JSON.parse(await readFile(join(home, 'known-stores.json'), 'utf8'));

/** Serves a directory once, with a model in it, and stops. */
async function serveOnce(home: string, root: string, ...more: readonly string[]): Promise<string> {
  await writeFiles(join(home, 'm'), { 'config.json': '{}' });
  const served = await serveInProcess({ home, args: ['--store-path', root, ...more] });
  const added = await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: served.url } });
  expect(added, added.stderr).toMatchObject({ status: 0 });
  expect(await served.stop()).toMatchObject({ status: 0 });
  return idOf(root);
}

/** A configuration that names a store; commands on this machine then use its disk. */
async function configFor(home: string, root: string): Promise<readonly string[]> {
  const file = join(home, 'skulk.yaml');
  await writeFile(file, `model_store:\n  store_path: ${root}\n`);
  return ['--config', file];
}

/** Checks that a command reports a missing disk, and that nothing was created. */
async function expectAbsent(ended: Ended, root: string, id: string, left: readonly string[] = []): Promise<void> {
  expect(ended, ended.stderr).toMatchObject({ status: 4, stdout: '' });
  for (const part of [root, id, 'mounted', '1 model', '--new-store']) expect(ended.stderr).toContain(part);
  expect(await readdir(root)).toEqual(left);
}

describe('a store whose directory has changed', () => {
  test.each(
    few([
      ['is empty', async (_: string) => {}, []],
      ['has only what systems leave', (root: string) => mkdir(join(root, 'lost+found')), ['lost+found']],
      ['has files of somebody', (root: string) => writeFile(join(root, 'thesis.doc'), ''), ['thesis.doc']],
    ]),
  )('is not served, and nothing is created there, when it %s', async (_, fill, left) => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    const id = await serveOnce(home, root);
    await rename(root, join(home, 'elsewhere'));
    await mkdir(root);
    await fill(root);
    await expectAbsent(await serve(home, root), root, id, left);
    const config = await configFor(home, root);
    for (const command of [
      ['registry'],
      ['stage', 'org/m'],
      ['add', join(home, 'm'), '--as', 'org/m'],
      ['download', 'org/m'],
      ['delete', 'org/m', '--yes'],
      ['verify'],
    ]) {
      await expectAbsent(await runInProcess([...command, ...config], { env: { SKULK_HOME: home } }), root, id, left);
    }
    const doctor = await runInProcess(['doctor', ...config], { env: { SKULK_HOME: home } });
    expect(doctor, doctor.stderr).toMatchObject({ stdout: expect.stringContaining('mounted') });
    expect(doctor.status).not.toBe(0);
    await rm(root, { recursive: true });
    await rename(join(home, 'elsewhere'), root);
    expect((await runInProcess(['doctor', ...config], { env: { SKULK_HOME: home } })).stdout).toContain(id);
    const served = await serveInProcess({ home, args: ['--store-path', root] });
    expect(await (await fetch(`${served.url}/models`)).json()).toEqual(['org/m']);
    expect(await served.stop()).toMatchObject({ status: 0 });
  });

  longTest('is served as a new store with --new-store, and normally from then on', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    const before = await serveOnce(home, root);
    await rm(root, { recursive: true });
    await mkdir(root);
    expect(await serve(home, root)).toMatchObject({ status: 4 });
    const served = await serveInProcess({ home, args: ['--store-path', root, '--new-store'] });
    expect(await served.stop()).toMatchObject({ status: 0 });
    expect(await idOf(root)).not.toBe(before);
    const again = await serveInProcess({ home, args: ['--store-path', root] });
    expect(await again.stop()).toMatchObject({ status: 0 });
  });

  test('is not served when another store is at its path, unless the user accepts the other one', async () => {
    const [home, other] = [await temporaryDirectory(), await temporaryDirectory()];
    const [root, second] = [join(home, 'disk'), join(other, 'disk')];
    await mkdir(root);
    await mkdir(second);
    const id = await serveOnce(home, root);
    const otherId = await serveOnce(other, second);
    await rename(root, join(home, 'elsewhere'));
    await rename(second, root);
    const refused = await serve(home, root);
    expect(refused).toMatchObject({ status: 4, stdout: '' });
    for (const part of [root, id, otherId, 'mounted', '--new-store']) expect(refused.stderr).toContain(part);
    const served = await serveInProcess({ home, args: ['--store-path', root, '--new-store'] });
    expect(await served.stop()).toMatchObject({ status: 0 });
    expect(await idOf(root)).toBe(otherId);
  });

  test('is reported as missing at its default path in SKULK_HOME too', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'store');
    await writeFiles(join(home, 'm'), { 'config.json': '{}' });
    const served = await serveInProcess({ home });
    const added = await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: served.url } });
    expect(added.status, added.stderr).toBe(0);
    await served.stop();
    const id = await idOf(root);
    await rename(root, join(home, 'elsewhere'));
    for (const command of [['serve', ...listen], ['registry'], ['stage', 'org/m'], ['add', join(home, 'm'), '--as', 'org/m']]) {
      const refused = await runInProcess(command, { env: { SKULK_HOME: home } });
      expect(refused, refused.stderr).toMatchObject({ status: 4, stdout: '' });
      expect(refused.stderr).toContain(id);
    }
    expect(await readdir(home)).not.toContain('store');
  });

  test('is reported as missing when its mount point does not exist, with a status after which a service tries again, and without mkdir', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'Volumes', 'Models', 'store');
    await mkdir(root, { recursive: true });
    const id = await serveOnce(home, root);
    await rename(join(home, 'Volumes', 'Models'), join(home, 'elsewhere'));
    const config = await configFor(home, root);
    for (const command of [['serve', ...listen], ['registry'], ['config', 'validate']]) {
      const refused = await runInProcess([...command, ...config], { env: { SKULK_HOME: home } });
      expect(refused, refused.stderr).toMatchObject({ status: 4, stdout: '' });
      expect(refused.stderr).toContain(`${root} is missing, but held the store ${id} with 1 model: its disk may not be mounted`);
      expect(refused.stderr).not.toMatch(/mkdir|--new-store/);
    }
    const doctor = await runInProcess(['doctor', ...config], { env: { SKULK_HOME: home } });
    expect(doctor.stdout).toContain('its disk may not be mounted');
    expect(doctor.stdout).not.toContain('mkdir');
    expect(await readdir(join(home, 'Volumes'))).toEqual([]);
  });

  test('is reported as missing by commands that wrote to it without a server, for any spelling of its path', async () => {
    const home = await temporaryDirectory();
    const [root, spelled] = [join(home, 'disk'), join(home, 'link')];
    await mkdir(root);
    await symlink(root, spelled);
    await writeFiles(join(home, 'm'), { 'config.json': '{}' });
    const config = await configFor(home, spelled);
    const add = () => runInProcess(['add', join(home, 'm'), '--as', 'org/m', ...config], { env: { SKULK_HOME: home } });
    expect(await add()).toMatchObject({ status: 0 });
    const id = await idOf(root);
    await rename(root, join(home, 'elsewhere'));
    expect(await add()).toMatchObject({ status: 4, stderr: expect.stringMatching(/is a broken link, but held the store .* mounted/) });
    await mkdir(root);
    await expectAbsent(await add(), spelled, id);
    await expectAbsent(await serve(home, root), root, id);
  });

  test('keeps its id when the file with the id is damaged', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    const id = await serveOnce(home, root);
    await writeFile(join(root, '.skulk', 'v1', 'store.json'), '');
    const served = await serveInProcess({ home, args: ['--store-path', root] });
    expect(await served.stop()).toMatchObject({ status: 0 });
    expect(await idOf(root)).toBe(id);
  });

  longTest("is served when the machine's record of stores is damaged, and the record is reported and moved aside", async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    const id = await serveOnce(home, root);
    await writeFile(join(home, 'known-stores.json'), '{"served": ');
    const served = await serveInProcess({ home, args: ['--store-path', root] });
    expect(await served.stop()).toMatchObject({ status: 0, stderr: expect.stringContaining('was corrupt; moved to') });
    expect((await readdir(home)).filter((name) => name.startsWith('known-stores.json.damaged-'))).toHaveLength(1);
    expect((await known(home)).served[root]).toMatchObject({ store_id: id, models: 1 });
  });

  test('is recorded without changing records of other processes', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    const others = {
      keys: { 'store.example': { sha256: 'abc' } },
      answered: [1, 2],
      served: { '/another/path': { store_id: 'x'.repeat(12), note: 7 } },
    };
    await writeFile(join(home, 'known-stores.json'), JSON.stringify(others));
    await serveOnce(home, root);
    expect(await known(home)).toMatchObject(others);
  });
});

describe('a store on a disk that is not mounted', wants('a disk of their own'), () => {
  longTest('is not served, and its mount point stays empty', async () => {
    const home = await temporaryDirectory();
    const disk = await smallDisk(8 * mebibyte);
    const id = await serveOnce(home, disk.path);
    expect(spawnSync('umount', [disk.path]).status).toBe(0);
    await expectAbsent(await serve(home, disk.path), disk.path, id);
  });
});

describe('a store that disappears while it is served', () => {
  const answers = async (url: string, path: string, init?: RequestInit): Promise<number> => {
    const response = await fetch(url + path, init);
    const body = await response.text();
    if (response.status === 503)
      expect(JSON.parse(body)).toMatchObject({ code: 'STORE_UNREACHABLE', detail: expect.stringContaining('mounted') });
    return response.status;
  };
  const json = { headers: { 'content-type': 'application/json' } };
  /** Every kind of request that a store answers. */
  const requests: readonly (readonly [string, RequestInit?])[] = [
    ['/health'],
    ['/registry'],
    ['/models'],
    ['/models/org/m/files'],
    ['/models/org/m/manifest'],
    ['/models/org/m/config.json'],
    ['/models/org/other/manifest'],
    ['/downloads'],
    ['/nodes'],
    ['/models/org/other/download', { method: 'POST', body: '{}', ...json }],
    ['/models/org/m', { method: 'DELETE' }],
    ['/store/health'],
    ['/store/registry'],
    ['/v1/models'],
  ];

  /** Removes the disk and restores it. */
  async function expectMissed(
    home: string,
    root: string,
    {
      away,
      back,
      left,
      restMs = 0,
      byCommands = isLong,
    }: {
      readonly away: () => Promise<void>;
      readonly back: () => Promise<void>;
      readonly left: readonly string[] | undefined;
      readonly restMs?: number;
      /** Whether commands try it too: a stage retries for some seconds. */
      readonly byCommands?: boolean;
    },
  ): Promise<void> {
    await writeFiles(join(home, 'm'), { 'config.json': '{}' });
    await writeFiles(join(home, 'n'), { 'config.json': '{"n": 1}' });
    const served = await serveInProcess({ home, args: ['--store-path', root] });
    const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url };
    const added = await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env });
    expect(added.status, added.stderr).toBe(0);
    for (const url of [served.url, served.apiUrl]) expect(await answers(url, '/store/registry')).toBe(200);
    await away();
    await expect.poll(() => answers(served.url, '/health')).toBe(503);
    for (const [path, init] of requests) expect(await answers(served.url, path, init), path).toBe(503);
    for (const path of ['/store/health', '/store/registry', '/v1/models']) expect(await answers(served.apiUrl, path), path).toBe(503);
    for (const command of byCommands
      ? [
          ['add', join(home, 'n'), '--as', 'org/n'],
          ['stage', 'org/m'],
        ]
      : []) {
      const failed = await runInProcess(command, { env });
      expect(failed, failed.stderr).toMatchObject({ status: 4, stdout: '' });
    }
    await expect.poll(() => served.stderr()).toContain('Requests get status 503');
    await new Promise((resolve) => setTimeout(resolve, restMs));
    if (left !== undefined) expect(await readdir(root)).toEqual(left);
    expect(served.stderr().split('Requests get status 503').length - 1).toBe(1);
    await back();
    await expect.poll(() => answers(served.url, '/health')).toBe(200);
    expect(await (await fetch(`${served.url}/models`)).json()).toEqual(['org/m']);
    const again = await runInProcess(['add', join(home, 'n'), '--as', 'org/n'], { env });
    expect(again, again.stderr).toMatchObject({ status: 0 });
    expect(await runInProcess(['stage', 'org/n'], { env })).toMatchObject({ status: 0 });
    await expect.poll(() => served.stderr()).toContain('the store is back');
    expect(await served.stop()).toMatchObject({ status: 0 });
  }

  longTest('is reported as missing when its directory is renamed, and served again when it is back', async () => {
    const home = await temporaryDirectory();
    const [root, elsewhere] = [join(home, 'disk'), join(home, 'elsewhere')];
    await mkdir(root);
    await expectMissed(home, root, { away: () => rename(root, elsewhere), back: () => rename(elsewhere, root), left: undefined });
  });

  longTest('is reported as missing when an empty directory is in its place, which stays empty', async () => {
    const home = await temporaryDirectory();
    const [root, elsewhere] = [join(home, 'disk'), join(home, 'elsewhere')];
    await mkdir(root);
    const away = async (): Promise<void> => {
      await rename(root, elsewhere);
      await mkdir(root);
    };
    const back = async (): Promise<void> => {
      await rm(root, { recursive: true });
      await rename(elsewhere, root);
    };
    // Longer than every timer of the server, without requests: nothing must happen meanwhile.
    await expectMissed(home, root, { away, back, left: [], restMs: isLong ? 12_000 : 0, byCommands: true });
  });

  longTest('is reported as missing when the target of its link disappears', async () => {
    const home = await temporaryDirectory();
    const [root, target, elsewhere] = [join(home, 'link'), join(home, 'disk'), join(home, 'elsewhere')];
    await mkdir(target);
    await symlink(target, root);
    await expectMissed(home, root, { away: () => rename(target, elsewhere), back: () => rename(elsewhere, target), left: undefined });
  });

  longTest(
    'is reported as missing when its disk is unmounted, and served again when the disk is mounted',
    wants('a disk of their own'),
    async () => {
      const home = await temporaryDirectory();
      const disk = await smallDisk(16 * mebibyte);
      const run = (...command: readonly [string, ...string[]]): void => {
        const [program, ...args] = command;
        expect(spawnSync(program, args).status, command.join(' ')).toBe(0);
      };
      const kept = join(home, 'kept');
      await mkdir(kept);
      // A second way to the same disk, so that it is still there when it is mounted again.
      run('mount', '--bind', disk.path, kept);
      onTestFinished(() => void spawnSync('umount', ['-l', kept]));
      await expectMissed(home, disk.path, {
        away: async () => run('umount', '-l', disk.path),
        back: async () => run('mount', '--bind', kept, disk.path),
        left: [],
      });
    },
  );

  longTest('is reported as missing when another disk is mounted over it', wants('a disk of their own'), async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    await expectMissed(home, root, {
      away: async () => void (await smallDisk(4 * mebibyte, root)),
      back: async () => void spawnSync('umount', ['-l', root]),
      left: [],
    });
  });
});

describe('a directory that is configured as the store', () => {
  const refusedFor = async (root: string, home: string): Promise<Ended> => {
    const refused = await serve(home, root);
    expect(refused, refused.stderr).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('--adopt-directory');
    expect(await readdir(root)).not.toContain('.skulk');
    return refused;
  };

  test.each<[string, Readonly<Record<string, string>>, string]>(
    few([
      ['files', { 'letters/a.txt': 'a', 'b.txt': 'b' }, '"b.txt" and "letters"'],
      ['many files', { a: '', b: '', c: '', d: '' }, '"a", "b", "c" and more'],
      ['hidden files', { '.ssh/id_ed25519': 'secret' }, '".ssh"'],
      ['directories of models that no registry names', { 'org--m/config.json': '{}' }, '"org--m"'],
      ['a registry of something else', { 'registry.json': '{"npm": {"url": "x"}}' }, '"registry.json"'],
      ['a registry that cannot be read', { 'registry.json': '{' }, '"registry.json"'],
      ['a .skulk that skulk did not make', { '.skulk/notes.txt': 'x' }, '".skulk"'],
    ]),
  )('is refused when it has %s, unless the user accepts it explicitly', async (_, files, names) => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await writeFiles(root, files);
    const refused = await serve(home, root);
    expect(refused, refused.stderr).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('--adopt-directory');
    expect(refused.stderr).toContain(names);
    const config = await configFor(home, root);
    expect(await runInProcess(['registry', ...config], { env: { SKULK_HOME: home } })).toMatchObject({ status: 2 });
    const served = await serveInProcess({ home, args: ['--store-path', root, '--adopt-directory'] });
    await served.stop();
    const again = await serveInProcess({ home, args: ['--store-path', root] });
    await again.stop();
    for (const [path, text] of Object.entries(files))
      if (path !== 'registry.json') expect(await readFile(join(root, path), 'utf8')).toBe(text);
  });

  test('is refused when it is a staging directory', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'staging');
    await writeFiles(root, { '.skulk/v1/staging.json': '{"id": "abcdefgh"}', 'org--m/.last_used': '' });
    expect((await serve(home, root)).status).toBe(2);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['nothing', {}],
    [
      'what systems leave',
      {
        'lost+found/x': '',
        '.DS_Store': '',
        '.Trash-1000/x': '',
        '.Trashes/x': '',
        '@eaDir/x': '',
        '.fseventsd/x': '',
        'System Volume Information/x': '',
        '$RECYCLE.BIN/x': '',
        '.Spotlight-V100/x': '',
        '.TemporaryItems/x': '',
        '.DocumentRevisions-V100/x': '',
      },
    ],
    ['a registry of the Python Skulk', { 'registry.json': '{}', 'org--m/config.json': '{}' }],
    ["skulk's own directory", { '.skulk/v1/manifests/.keep': '', 'org--m/config.json': '{}' }],
  ])('is served when it has %s', async (_, files) => {
    const home = await temporaryDirectory();
    const root = join(home, 'disk');
    await mkdir(root);
    await writeFiles(root, files);
    const served = await serveInProcess({ home, args: ['--store-path', root] });
    expect((await fetch(`${served.url}/health`)).status).toBe(200);
    expect(await served.stop()).toMatchObject({ status: 0 });
  });

  test('is refused over HTTP for every request', async () => {
    const home = await temporaryDirectory();
    const foreign = join(home, 'foreign');
    await writeFiles(foreign, { 'a.txt': 'a' });
    const served = await serveInProcess({ home, env: { HOME: home } });
    const put = async (store: object): Promise<number> => {
      const body = JSON.stringify({ model_store: store });
      return (await fetch(`${served.apiUrl}/config`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })).status;
    };
    for (const path of [foreign, home, '/', '/etc']) {
      expect(await put({ store_path: path, adopt_directory: true }), path).toBeGreaterThanOrEqual(400);
      expect(await put({ store_path: path }), path).toBeGreaterThanOrEqual(400);
      expect(await put({ staging: { node_cache_path: path } }), path).toBeGreaterThanOrEqual(400);
    }
    expect(await served.stop()).toMatchObject({ status: 0 });
    await refusedFor(foreign, home);
  });
});
