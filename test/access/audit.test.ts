import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { AuditList } from '../../src/core/protocol/events.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { pythonStore } from '../helpers/python-store.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** A store without a server, and commands on its host. */
async function unserved() {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'store/.skulk/v1'), { recursive: true });
  await writeFiles(join(home, 'source'), { 'a.gguf': 'some bytes' });
  const run = (...args: readonly string[]) => runInProcess(args, { env: { SKULK_HOME: home } });
  const list = async (...args: readonly string[]): Promise<AuditList> => {
    const { stdout, stderr } = await run('audit', '--json', ...args);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as AuditList;
  };
  return { home, layout: storeLayout(join(home, 'store')), run, list, add: () => run('add', join(home, 'source'), '--as', 'org/one') };
}

describe('skulk audit on the store host without a server', () => {
  usualTest('lists what commands changed there, with their user and their result, newest first', async () => {
    const { run, list, add, layout } = await unserved();
    expect(await run('audit')).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('no such changes') });
    expect(await list()).toEqual({ entries: [], more: false });
    expect(await readdir(join(layout.root, '.skulk/v1'))).toEqual([]);
    expect((await add()).status).toBe(0);
    expect((await run('token', 'create', 'laptop', '--role', 'node')).status).toBe(0);
    expect((await run('token', 'create', 'laptop', '--role', 'node')).status).toBe(5);
    expect((await run('policy', 'set', 'lan', 'read')).status).toBe(0);
    expect((await run('verify', 'org/one')).status).toBe(0);
    expect((await run('verify', 'org/one', '--repair')).status).toBe(0);
    expect((await run('store', 'promote', '--instead-of', 'http://127.0.0.1:9', '--yes')).status).toBe(0);
    expect((await run('store', 'promote', '--undo', '--yes')).status).toBe(0);
    expect((await run('delete', 'org/one', '--yes')).status).toBe(0);
    const { entries, more } = await list();
    const nothing = {
      who: 'user anna',
      from: '',
      node: null,
      model_id: null,
      selector: null,
      target: null,
      code: null,
      at: expect.any(String),
    };
    expect({ entries, more }).toEqual({
      entries: [
        { ...nothing, action: 'delete', model_id: 'org/one', freed_bytes: 10 },
        { ...nothing, action: 'undo-promotion' },
        { ...nothing, action: 'promote', target: 'http://127.0.0.1:9' },
        { ...nothing, action: 'verify', model_id: 'org/one' },
        { ...nothing, action: 'change-policy', target: 'lan: read (was node)' },
        { ...nothing, action: 'create-token', target: 'laptop', code: 'CONFLICT' },
        { ...nothing, action: 'create-token', target: 'laptop' },
        { ...nothing, action: 'add', model_id: 'org/one' },
      ],
      more: false,
    });
    const text = await run('audit', '--limit', '2');
    expect(text.stdout.split('\n')).toEqual([
      expect.stringMatching(/^WHEN +WHO +FROM +KIND +WHAT +RESULT +FREED$/),
      expect.stringMatching(/^\d{4}-\S+Z +anna on the store host +delete +org\/one +done +10 B$/),
      expect.stringMatching(/^\d{4}-\S+Z +anna on the store host +undo-promotion +done *$/),
      '',
    ]);
    expect(text.stderr).toContain('there are older ones; --limit shows more');
  });

  usualTest('finds changes by their time, result, kind and user', async () => {
    const { run, list, add, layout } = await unserved();
    expect((await add()).status).toBe(0);
    expect((await run('token', 'revoke', 'nobody')).status).toBe(3);
    const old = { at: '2020-01-02T12:00:00.000Z', who: 'token ben', from: '10.0.0.2', node: 'mill', action: 'delete', model_id: 'org/old' };
    const newer = await readFile(layout.audit, 'utf8');
    await rm(layout.audit);
    await appendFile(layout.audit, `${JSON.stringify({ ...old, code: null })}\n${newer}`);
    const actions = async (...args: readonly string[]) => (await list(...args)).entries.map(({ action }) => action);
    expect(await actions()).toEqual(['revoke-token', 'add', 'delete']);
    for (const since of ['7d', '2020-01-03', '2020-01-02T12:00:01Z'])
      expect(await actions('--since', since)).toEqual(['revoke-token', 'add']);
    expect(await actions('--since', '2020-01-01')).toHaveLength(3);
    expect(await actions('--failed')).toEqual(['revoke-token']);
    // A person reads words, a program the code.
    expect((await run('audit', '--failed')).stdout).toMatch(/revoke-token +nobody +no such token *\n$/);
    expect((await list('--failed')).entries).toMatchObject([{ code: 'TOKEN_NOT_FOUND' }]);
    expect(await actions('--kind', 'add')).toEqual(['add']);
    expect(await actions('--who', 'ANNA')).toEqual(['revoke-token', 'add']);
    for (const name of ['ben', '10.0.0.2', 'Mill']) expect(await actions('--who', name)).toEqual(['delete']);
    expect(await list('--who', 'anna', '--limit', '1')).toMatchObject({ entries: [{ action: 'revoke-token' }], more: true });
  });

  usualTest('changes nothing on the disk, and leaves out a last line that is not complete; the next change cuts it off', async () => {
    const { run, list, add, layout } = await unserved();
    expect((await add()).status).toBe(0);
    await appendFile(layout.audit, '{"at":"2026');
    const before = [await readFile(layout.audit, 'utf8'), await readdir(layout.auditLock)];
    expect((await list()).entries).toMatchObject([{ action: 'add' }]);
    expect([await readFile(layout.audit, 'utf8'), await readdir(layout.auditLock)]).toEqual(before);
    expect((await run('policy', 'set', 'lan', 'read')).status).toBe(0);
    const lines = (await readFile(layout.audit, 'utf8')).split('\n');
    expect(lines.map((line) => (line === '' ? '' : JSON.parse(line).action))).toEqual(['add', 'change-policy', '']);
  });

  usualTest('is not needed for a change: if it cannot be written, the change is made, with a warning', async () => {
    const { run, add, layout, list } = await unserved();
    await symlink('/dev/full', layout.audit);
    const added = await add();
    expect(added).toMatchObject({ status: 0, stderr: expect.stringMatching(/cannot write to the log of changes .*audit\.ndjson/) });
    expect((await run('registry')).stdout).toContain('org/one');
    await rm(layout.audit);
    expect((await run('delete', 'org/one', '--yes')).status).toBe(0);
    expect((await list()).entries).toMatchObject([{ action: 'delete' }]);
  });

  usualTest('fails with one document on stderr for wrong options, and without a store', async () => {
    const { run } = await unserved();
    for (const args of [
      ['--limit', '0'],
      ['--since', 'yesterday'],
      ['--since', '2026-13-45'],
      ['--kind', 'teleport'],
      ['--who', ''],
    ]) {
      const { status, stdout, stderr } = await run('audit', '--json', ...args);
      expect([status, stdout], args.join(' ')).toEqual([2, '']);
      expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'USAGE', message: expect.any(String) } });
    }
    const nowhere = await runInProcess(['audit', '--json'], { env: { SKULK_HOME: await temporaryDirectory() } });
    expect(nowhere).toMatchObject({ status: 4, stdout: '', stderr: expect.stringContaining('"STORE_NOT_CONFIGURED"') });
  });
});

describe('skulk audit with a server', () => {
  usualTest('lists its requests and the commands beside it, on the host and on nodes, and names others only to an admin', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    const list = async (command: Promise<{ readonly stdout: string }>) => JSON.parse((await command).stdout) as AuditList;
    const token = (await world.host('token', 'create', 'ops', '--role', 'admin')).stdout.trim();
    const headers = { Authorization: `Bearer ${token}`, 'Skulk-Node': 'mill' };
    expect((await ask(host.url, '/models/org%2Fone', { method: 'DELETE', headers })).status).toBe(200);
    // The server appends its entry after the answer.
    await expect.poll(async () => (await list(world.host('audit', '--json'))).entries.length).toBe(3);
    const seen = await list(world.host('audit', '--json'));
    expect(seen.entries).toMatchObject([
      { who: 'token ops', node: 'mill', action: 'delete', model_id: 'org/one', code: null, freed_bytes: expect.any(Number) },
      { who: 'user anna', from: '', action: 'create-token', target: 'ops' },
      { who: 'user anna', action: 'add', model_id: 'org/one' },
    ]);
    expect(await list(world.host('audit', '--json', '--who', 'ops'))).toEqual({ entries: [seen.entries[0]], more: false });
    expect((await world.host('audit', '--kind', 'delete')).stdout).toMatch(/\nS?.*Z +ops +\S+ +delete +org\/one +done +10 B\n$/);
    // The page shows the same.
    const { entries } = (await ask(host.url, '/store/activity', { headers })).json() as AuditList;
    expect(entries).toEqual(seen.entries);

    const ofNode = await list(world.node('n1', host.url, 'audit', '--json'));
    expect(ofNode.entries).toMatchObject([
      { who: 'token', from: '', node: null, action: 'delete', model_id: 'org/one' },
      { who: 'user', from: '', action: 'create-token', target: null },
      { who: 'user', action: 'add' },
    ]);
    // A search does not give the names away.
    for (const name of ['ops', 'anna', 'mill'])
      expect((await list(world.node('n1', host.url, 'audit', '--json', '--who', name))).entries).toEqual([]);
    expect((await world.node('n1', host.url, 'audit')).stdout).toMatch(/Z +a token +delete +org\/one +done +10 B\n/);
    expect(await list(world.node('n1', host.url, '--token', token, 'audit', '--json'))).toEqual(seen);

    for (const query of ['since=yesterday', 'kind=teleport', 'limit=10001', 'limit=0', 'limit=-1', 'failed=perhaps', 'who=a&who=b'])
      expect((await ask(host.url, `/store/audit?${query}`)).status, query).toBe(400);
  });

  usualTest('names changed settings with their values, but no secrets, and the user of the host as without a server', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const config = join(world.home, 'host', 'skulk.yaml');
    await writeFile(config, 'model_store:\n  download: {max_concurrent: 2}\n');
    const host = await serveInProcess({ home: join(world.home, 'host'), env: { SKULK_CONFIG: config } });
    const key = await adminKeyOf(join(world.home, 'host'));
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const put = async (path: string, body: object, status = 200) =>
      expect((await ask(host.apiUrl, path, { method: 'PUT', headers, body: JSON.stringify(body) })).status).toBe(status);
    await put('/policy', { limits: { open_uploads: 3 }, server_names: ['models.example'] });
    await put('/policy', { limits: { open_uploads: null }, lan: 'everybody' }, 400);
    await put('/config', { hf_token: 'hf_abcdefghijklmnopqrstuvwxyz', model_store: { download: { max_concurrent: 4 } } });
    // The page validates while somebody types.
    await put('/config?dry_run=true', { model_store: { download: { max_concurrent: 5 } } });
    expect((await world.host('delete', 'org/one', '--yes')).status).toBe(0);
    const list = async () => (JSON.parse((await world.host('audit', '--json')).stdout) as AuditList).entries;
    await expect.poll(async () => (await list())[0]?.action).toBe('delete');
    expect((await list()).map(({ who, action, target, code }) => [who, action, target, code])).toEqual([
      ['user anna', 'delete', null, null],
      ['user anna', 'change-settings', 'hf_token: set, not shown, model_store.download.max_concurrent: 4 (was 2)', null],
      ['user anna', 'change-policy', 'limits.open_uploads, lan', 'BAD_REQUEST'],
      ['user anna', 'change-policy', 'limits.open_uploads: 3 (was 64), server_names: models.example (was not set)', null],
      ['user anna', 'add', null, null],
    ]);
    const table = (await world.host('audit')).stdout;
    expect(table.match(/Z +anna on the store host /g)).toHaveLength(5);
  });

  usualTest('lists every change once when a server and commands write at the same time', async () => {
    const world = await fleetWorld();
    const host = await world.hostInProcess();
    const names = Array.from({ length: 6 }, (_, index) => `t${index}`);
    const ended = await Promise.all(
      names.flatMap((name) => [
        world.host('token', 'create', name, '--role', 'read').then(({ status }) => status),
        ask(host.url, `/models/org%2F${name}`, { method: 'DELETE' }).then(({ status }) => status),
      ]),
    );
    expect(ended).toEqual(names.flatMap(() => [0, 404]));
    const saved = async () => {
      const text = await readFile(storeLayout(join(world.home, 'host/store')).audit, 'utf8').catch(() => '');
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { target: string | null; model_id: string | null });
    };
    await expect.poll(async () => (await saved()).length).toBe(12);
    const subjects = (await saved()).map(({ target, model_id }) => target ?? model_id?.replace('org/', 'model '));
    expect(subjects.toSorted()).toEqual([...names.map((name) => `model ${name}`), ...names].toSorted());
  });

  usualTest('lists nothing of a delete that finds no model, is refused, or is only a --dry-run', async () => {
    const world = await fleetWorld();
    await world.add('org/lost');
    await rm(join(world.home, 'host/store/org--lost'), { recursive: true });
    const host = await world.hostInProcess();
    const stranger = { method: 'DELETE', headers: { Authorization: 'Bearer guessed' } };
    expect((await ask(host.url, '/models/org%2Flost', stranger)).status).toBe(401);
    const reader = (await world.host('token', 'create', 'reader', '--role', 'read')).stdout.trim();
    expect((await ask(host.url, '/models/org%2Flost', { method: 'DELETE', headers: { Authorization: `Bearer ${reader}` } })).status).toBe(
      403,
    );
    const list = async () => (JSON.parse((await world.host('audit', '--json', '--limit', '9')).stdout) as AuditList).entries;
    for (const run of [world.host, (...args: readonly string[]) => world.node('n1', host.url, ...args)]) {
      expect((await run('delete', 'org/none', '--yes')).status).toBe(3);
      expect((await run('delete', 'org/none', '--dry-run')).status).toBe(3);
      expect((await run('delete', 'org/lost', '--dry-run')).status).toBe(0);
    }
    expect((await world.host('delete', 'org/lost', '--yes')).status).toBe(0);
    await expect.poll(async () => (await list())[0]?.action).toBe('delete');
    expect((await list()).map(({ action, model_id, code }) => [action, model_id, code])).toEqual([
      ['delete', 'org/lost', null],
      ['create-token', null, null],
      ['add', 'org/lost', null],
    ]);
  });

  usualTest('names the models that were repaired', async () => {
    const world = await fleetWorld();
    const host = await world.hostInProcess();
    const verify = (model_ids?: readonly string[], repair = true) =>
      ask(host.url, '/verify', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ model_ids, repair }),
      });
    for (const names of [undefined, ['org/a:Q4_K_M'], ['org/a', 'org/b:Q8_0'], ['no model']]) await verify(names);
    // Without a repair it changes nothing.
    for (const names of [undefined, ['org/a']]) await verify(names, false);
    await verify(['last'], true);
    const list = async () => JSON.parse((await world.host('audit', '--json')).stdout) as AuditList;
    await expect.poll(async () => (await list()).entries[0]?.model_id).toBe('last');
    expect((await list()).entries.toReversed()).toMatchObject([
      { action: 'verify', model_id: null, selector: null, target: null, code: null },
      { action: 'verify', model_id: 'org/a', selector: 'Q4_K_M', target: null, code: 'MODEL_NOT_FOUND' },
      { action: 'verify', model_id: null, selector: null, target: 'org/a, org/b:Q8_0' },
      { action: 'verify', model_id: null, target: 'no model', code: 'BAD_MODEL_ID' },
      { action: 'verify', model_id: 'last', code: 'MODEL_NOT_FOUND' },
    ]);
  });

  usualTest('calls an order to machines accepted, not done, until they have carried it out', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    expect((await world.node('n1', host.url, 'stage', 'org/one')).status).toBe(0);
    // This machine has no server, so the orders are only given.
    expect((await world.host('stage', 'org/one', '--on', 'n1')).status).toBe(9);
    expect((await world.host('purge-staging', '--node', 'n1', '--yes')).status).toBe(9);
    for (const kind of ['stage', 'purge'])
      await expect.poll(async () => (await world.host('audit', '--kind', kind)).stdout).toContain('accepted');
    // Without a server too.
    await host.stop();
    expect((await world.host('purge-staging', 'org/one', '--node', 'n1', '--yes')).status).toBe(9);
    const { entries } = JSON.parse((await world.host('audit', '--kind', 'purge', '--json')).stdout) as AuditList;
    expect(entries.map(({ state, job }) => [state, job])).toEqual([
      ['accepted', undefined],
      ['accepted', undefined],
    ]);
  });

  longTest('lists the copies that machines removed by themselves to stay within their budget', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const config = join(world.home, 'none.yaml');
    await writeFile(config, 'model_store:\n  staging:\n    staging_keep_recent_gb: 0\n');
    const list = async () => JSON.parse((await world.host('audit', '--kind', 'evict', '--json')).stdout) as AuditList;
    // The store host itself: without a server, then with one, which cleans up when it starts.
    expect((await world.host('stage', 'org/one')).status).toBe(0);
    expect((await world.host('reconcile', '--config', config)).status).toBe(0);
    expect((await world.host('stage', 'org/one')).status).toBe(0);
    const host = await serveInProcess({ home: join(world.home, 'host'), env: { SKULK_NODE_ID: 'host', SKULK_CONFIG: config } });
    await expect.poll(async () => (await list()).entries.length).toBe(2);
    const { status, stderr } = await world.node('n1', host.url, 'stage', 'org/one');
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect((await world.node('n1', host.url, 'reconcile', '--dry-run', '--config', config)).status).toBe(0);
    expect((await list()).entries).toHaveLength(2);
    expect((await world.node('n1', host.url, 'reconcile', '--config', config)).status).toBe(0);
    const evicted = {
      at: expect.any(String),
      who: 'node',
      action: 'evict',
      model_id: 'org/one',
      selector: 'a.gguf',
      target: null,
      code: null,
    };
    expect((await list()).entries).toEqual([
      { ...evicted, from: '127.0.0.1', node: 'n1', freed_bytes: 10, budget_bytes: 0 },
      { ...evicted, from: '127.0.0.1', node: 'host', freed_bytes: 10, budget_bytes: 0 },
      { ...evicted, from: '', node: 'host', freed_bytes: 10, budget_bytes: 0 },
    ]);
    // A purge is not an eviction.
    expect((await world.node('n1', host.url, 'stage', 'org/one')).status).toBe(0);
    expect((await world.node('n1', host.url, 'purge-staging')).status).toBe(0);
    expect((await list()).entries).toHaveLength(3);
  });

  usualTest('says that the Python program keeps no such log', async () => {
    const python = await pythonStore({});
    const ended = await runInProcess(['audit', '--json'], { env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: python.url } });
    expect([ended.status, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain('cannot list its changes');
  });
});
