import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { changePolicy, openStorePolicy } from '../../src/core/operations/store/store-policy.ts';
import { sha256 } from '../helpers/model-files.ts';
import { ownEnvironment } from '../helpers/own-environment.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { type Serving, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

async function serveHost(env: Record<string, string> = {}): Promise<Serving> {
  const host = await serveInProcess({ home: await temporaryDirectory(), env });
  onTestFinished(() => host[Symbol.asyncDispose]());
  return host;
}

/** The role that a link gives. */
async function roleBy(link: string): Promise<unknown> {
  const { origin, hash } = new URL(link);
  const body = JSON.stringify({ code: hash.replace('#code=', '') });
  const answer = await ask(origin, '/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  if (answer.status !== 200) return answer.status;
  const { key } = answer.json() as { key: string };
  const session = await ask(origin, '/session', { headers: { Authorization: `Bearer ${key}` } });
  expect(session.json()).toMatchObject({ credential: 'page' });
  return (session.json() as { role: string }).role;
}

describe('skulk key and skulk open', () => {
  longTest('print a new link to the server of this machine each time, and each link works once', async () => {
    const host = await startServe({ home: await temporaryDirectory() });
    const env = { SKULK_HOME: host.home };
    const links: string[] = [];
    for (const command of ['key', 'key', 'open']) {
      const ended = await runInProcess([command], { env });
      expect(ended.status).toBe(0);
      expect(ended.stdout).toMatch(new RegExp(`^${host.apiUrl}/#code=[\\w-]{22}\\n$`));
      links.push(ended.stdout.trim());
    }
    expect(new Set(links).size).toBe(3);
    for (const link of links) expect(await roleBy(link)).toBe('admin');
    for (const link of links) expect(await roleBy(link)).toBe(401);
    // A client that continues to guess is blocked, and gets the remaining time.
    for (const status of [401, 401, 429, 429]) expect(await roleBy(`${host.apiUrl}/#code=guess`)).toBe(status);
    const json = JSON.parse((await runInProcess(['key', '--json'], { env })).stdout) as { url: string; expires_at: string };
    expect(Date.parse(json.expires_at)).toBeGreaterThan(Date.now());
    expect(host.running.stdout()).not.toContain('code=');
    expect(host.running.stderr()).not.toMatch(/code=|[\w-]{43}/);
  });

  longTest('open the page of the configured store when no server runs on this machine', async () => {
    const env = { SKULK_HOME: await temporaryDirectory() };
    const none = await runInProcess(['key'], { env });
    expect(none).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringMatching(/no `skulk serve`[\s\S]*sudo -u USER -H skulk key/),
    });
    expect(await runInProcess(['open'], { env })).toMatchObject({ status: 4, stdout: '' });
    const elsewhere = await runInProcess(['open', '--json'], { env: { ...env, SKULK_STORE: 'http://192.0.2.1:58080' } });
    expect(JSON.parse(elsewhere.stdout)).toEqual({ url: 'http://192.0.2.1:52415/', opened: false });
    const host = await startServe({ home: await temporaryDirectory() });
    await host.kill();
    // A killed server leaves a record that belongs to no running server.
    expect(await runInProcess(['key'], { env: { SKULK_HOME: host.home } })).toMatchObject({ status: 4, stdout: '' });
  });
});

usualTest('skulk key and skulk open say that a server runs which this user cannot use, and what to do', async () => {
  const host = await startServe({ home: await temporaryDirectory() });
  const other = await temporaryDirectory();
  await writeFile(join(other, 'skulk.yaml'), `model_store:\n  api_port: ${new URL(host.apiUrl).port}\n`);
  const env = { SKULK_HOME: other, SKULK_CONFIG: join(other, 'skulk.yaml'), SKULK_NO_DISCOVERY: '0' };
  for (const command of ['key', 'open']) {
    const ended = await runInProcess([command], { env });
    expect(ended, ended.stderr).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain(`the server at http://127.0.0.1:${new URL(host.apiUrl).port} uses another directory than ${other}`);
    expect(ended.stderr).toContain(`hint: run \`skulk ${command}\` with its SKULK_HOME; without admin rights, open http://127.0.0.1:`);
  }
});

longTest('skulk key names the user whose record of a server it cannot read', wants('root'), async ({ skip }) => {
  const home = await temporaryDirectory();
  await writeFile(join(home, 'serve.json'), '{}', { mode: 0o600 });
  await chmod(home, 0o755);
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, args, { uid: 65_534, cwd: '/', encoding: 'utf8', env: ownEnvironment({ SKULK_HOME: home }) });
  if (run(bin, '--version').status !== 0) skip('this user has the program in a directory that nobody else may read');
  const ended = run(bin, 'key');
  expect(ended, ended.stderr).toMatchObject({ status: 2, stdout: '' });
  expect(ended.stderr).toMatch(
    /serve\.json belongs to root, and \S+ cannot read it\nhint: run it as that user: sudo -u root -H skulk key\n/,
  );
  const served = run(bin, 'serve', '--port', '0', '--api-port', '0');
  expect(served, served.stderr).toMatchObject({ status: 2, stdout: '' });
  expect(served.stderr).toMatch(
    /SKULK_HOME \S+ belongs to root: permission denied\nhint: run it as that user: sudo -u root -H skulk serve;/,
  );
});

longTest('skulk serve prints a link on a terminal, but not into a pipe or a JSON document', wants('script'), async () => {
  const home = await temporaryDirectory();
  const serve = `${process.execPath} ${bin} serve --host 127.0.0.1 --port 0 --api-port 0`;
  const start = async (line: string): Promise<string> => {
    const terminal = spawn('script', ['-qec', line, '/dev/null'], {
      env: ownEnvironment({ SKULK_HOME: home, SKULK_NO_MDNS: '1', SKULK_NO_DISCOVERY: '1' }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    const ended = once(terminal, 'close');
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await expect.poll(() => said).toMatch(/ready[\s\S]*\n/);
    const link = /http:\S+#code=[\w-]+/.exec(said)?.[0];
    if (link !== undefined) expect(await roleBy(link)).toBe('admin');
    terminal.stdin.write('\u0003');
    await ended;
    return said;
  };
  expect(await start(serve)).toMatch(/skulk store is ready: http:\S+, in your browser http:\S+\/#code=[\w-]{22} \(store /);
  expect(await start(`${serve} | cat`)).not.toContain('code=');
  expect(await start(`${serve} --json`)).not.toContain('code=');
});

describe('skulk token', () => {
  usualTest('creates, lists and revokes tokens on the disk, with or without a server, and over HTTP from other machines', async () => {
    const home = await temporaryDirectory();
    await mkdir(join(home, 'store/.skulk/v1'), { recursive: true });
    const env = { SKULK_HOME: home };
    const made = await runInProcess(['token', 'create', 'laptop', '--role', 'node'], { env });
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^skulk_[\w-]{43}\n$/) });
    expect(made.stderr).toMatch(
      /not shown again\nset SKULK_TOKEN to it .*\nwithout a token, the LAN still has the role node\n`skulk policy set lan none` closes the store to it\n/,
    );
    const closed = await serveInProcess({ home, env: { SKULK_TOKEN: 'of-the-service' } });
    const beside = await runInProcess(['token', 'create', 'beside', '--role', 'read'], { env });
    expect(beside.stderr).toMatch(/not shown again\n/);
    expect(beside.stderr).not.toContain('the LAN still has');
    await closed[Symbol.asyncDispose]();
    expect(await runInProcess(['token', 'revoke', 'beside'], { env })).toMatchObject({ status: 0 });
    const host = await serveInProcess({ home });
    onTestFinished(() => host[Symbol.asyncDispose]());
    const admin = JSON.parse((await runInProcess(['token', 'create', 'ops', '--role', 'admin', '--json'], { env })).stdout) as {
      token: string;
    };
    expect(admin).toMatchObject({ name: 'ops', role: 'admin', lan: 'node' });
    // The server's environment has no SKULK_TOKEN, so the LAN keeps its role, whatever the command's environment has.
    const withToken = await runInProcess(['token', 'create', 'x', '--role', 'read', '--json'], {
      env: { ...env, SKULK_TOKEN: 'of-the-command' },
    });
    expect(JSON.parse(withToken.stdout)).toMatchObject({ lan: 'node' });
    expect(await runInProcess(['token', 'revoke', 'x'], { env })).toMatchObject({ status: 0 });
    const other = { SKULK_HOME: join(home, 'other'), SKULK_STORE: host.url };
    const asOps = { ...other, SKULK_TOKEN: admin.token };
    expect((await runInProcess(['token', 'list'], { env: other })).stderr).toMatch(
      /may not do this here: it needs the role admin[\s\S]*skulk key/,
    );
    expect((await runInProcess(['token', 'list'], { env: asOps })).stdout).toMatch(/laptop +node .*\nops +admin /);
    const remote = await runInProcess(['token', 'create', 'phone', '--role', 'read', '--token', admin.token], { env: other });
    expect((await ask(host.url, '/session', { headers: { Authorization: `Bearer ${remote.stdout.trim()}` } })).json()).toMatchObject({
      role: 'read',
      name: 'phone',
    });
    expect(await runInProcess(['token', 'revoke', 'phone'], { env: asOps })).toMatchObject({ status: 0, stdout: 'revoked phone\n' });
    for (const who of [env, asOps])
      expect(await runInProcess(['token', 'revoke', 'phone'], { env: who })).toMatchObject({
        status: 3,
        stdout: '',
        stderr: expect.stringContaining('there is no token called "phone"'),
      });
    expect(await runInProcess(['token', 'create', 'ops', '--role', 'read'], { env: asOps })).toMatchObject({ status: 5, stdout: '' });
    // A named token cannot create a link, which would be valid longer than the token.
    const link = await ask(host.url, '/session/codes', { method: 'POST', headers: { Authorization: `Bearer ${admin.token}` } });
    expect(link.status).toBe(403);
    expect(host.stderr()).toMatch(/"who":"token ops".*"method":"POST","url":"\/tokens"/);
    expect(host.stderr()).not.toMatch(/skulk_[\w-]{43}/);
  });

  longTest(
    'the running server logs a token that is created or revoked on the disk, and logs one over HTTP once, as a request',
    async () => {
      const host = await serveHost();
      const env = { SKULK_HOME: host.home };
      const log = (): string => host.stderr();
      const made = await runInProcess(['token', 'create', 'ops', '--role', 'admin'], { env });
      // No request reaches the server meanwhile.
      await expect.poll(log, { timeout: 60_000 }).toContain('the tokens have changed: ops (admin) created');
      const asOps = { SKULK_HOME: join(host.home, 'other'), SKULK_STORE: host.url, SKULK_TOKEN: made.stdout.trim() };
      expect(await runInProcess(['token', 'create', 'phone', '--role', 'read'], { env: asOps })).toMatchObject({ status: 0 });
      expect(await runInProcess(['token', 'revoke', 'phone'], { env: asOps })).toMatchObject({ status: 0 });
      expect(await runInProcess(['policy', 'set', 'lan', 'read'], { env: asOps })).toMatchObject({ status: 0 });
      const changed = { status: 0, stdout: 'lan: node (was read)\n' };
      expect(await runInProcess(['policy', 'set', 'lan', 'default'], { env: asOps })).toMatchObject(changed);
      expect((await ask(host.url, '/session')).json()).toMatchObject({ lan: 'node' });
      expect(await runInProcess(['token', 'revoke', 'ops'], { env })).toMatchObject({ status: 0 });
      expect(await runInProcess(['policy', 'set', 'lan', 'none'], { env })).toMatchObject({ status: 0 });
      await expect.poll(log, { timeout: 60_000 }).toContain('the tokens have changed: ops (admin) revoked');
      await expect.poll(log, { timeout: 60_000 }).toMatch(/the policy has changed: .*none/);
      expect(log()).toMatch(/"who":"token ops".*"url":"\/tokens".*"name":"phone","role":"read"/);
      expect(log()).toMatch(/"who":"token ops".*"url":"\/policy".*"policy":"{\\"lan\\":\\"read\\"}"/);
      expect(
        log()
          .match(/the (tokens|policy) ha(ve|s) changed/g)
          ?.toSorted(),
      ).toEqual(['the policy has changed', 'the tokens have changed', 'the tokens have changed']);
    },
  );

  usualTest.each([
    [['create', 'x'], /needs --role/],
    [['create', '--role', 'node'], /needs the name/],
    [['create', 'x', '--role', 'root'], /must be one of read, node, admin/],
    [['create', 'x y', '--role', 'read'], /is not a valid token name/],
    [['list', 'x'], /takes no name/],
    [['revoke'], /needs the name/],
    [['revoke', 'x', '--role', 'read'], /--role belongs to/],
    [['make'], /"skulk token" has no action "make"\nhint: use one of create, list, revoke/],
    [['creat', 'x'], /"skulk token" has no action "creat"\nhint: did you mean create\?/],
  ])('%j is refused with a clear message', async (args, says) => {
    const ended = await runInProcess(['token', ...args], { env: { SKULK_HOME: await temporaryDirectory() } });
    expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(says) });
  });
});

describe('skulk policy', () => {
  usualTest('shows, changes and validates the policy, and a running server applies the change', async () => {
    const host = await serveHost();
    const env = { SKULK_HOME: host.home };
    const file = join(host.storePath, '.skulk/v1/policy.yaml');
    const show = async () => JSON.parse((await runInProcess(['policy', 'show', '--json'], { env })).stdout) as Record<string, unknown>;
    expect(await show()).toEqual({
      path: file,
      policy: expect.objectContaining({ lan: 'node', server_names: [] }),
      origin: expect.objectContaining({ lan: 'default', server_names: 'default' }),
    });
    expect((await ask(host.apiUrl, '/models', { headers: { Host: 'models.example.com' } })).status).toBe(403);
    expect(await runInProcess(['policy', 'set', '-q', 'server_names', 'models.example.com', 'b.example.com'], { env })).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
    await expect.poll(async () => (await ask(host.url, '/models', { headers: { Host: 'Models.example.com:80' } })).status).toBe(200);
    await writeFile(file, `# ours\n${await readFile(file, 'utf8')}`);
    expect(await runInProcess(['policy', 'set', 'lan', 'read'], { env })).toMatchObject({ status: 0, stdout: 'lan: read (was node)\n' });
    expect(await readFile(file, 'utf8')).toBe('# ours\nserver_names:\n  - models.example.com\n  - b.example.com\nlan: read\n');
    expect(await show()).toMatchObject({ policy: { lan: 'read' }, origin: { lan: 'file', server_names: 'file' } });
    for (const key of ['lan', 'server_names'])
      expect(await runInProcess(['policy', 'set', key, 'default'], { env })).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({ policy: { lan: 'node', server_names: [] }, origin: { lan: 'default' } });
    expect(await runInProcess(['policy', 'validate'], { env })).toMatchObject({ status: 0, stdout: `${file}: valid\n` });
  });

  usualTest('a limit applies to a running server as soon as it is changed', async () => {
    const host = await serveHost();
    const env = { SKULK_HOME: host.home };
    const announce = async (modelId: string): Promise<number> => {
      const file = { path: 'a.bin' as never, size: 1, sha256: sha256(modelId) as never };
      const body = JSON.stringify(makeManifest(parseModelId(modelId), [file], { source: 'add', createdAt: new Date() }));
      const target = `/uploads/${encodeURIComponent(modelId)}`;
      return (await ask(host.url, target, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body })).status;
    };
    expect(await runInProcess(['policy', 'set', 'limits.open_uploads', '1'], { env })).toMatchObject({ status: 0 });
    expect(await announce('org/one')).toBe(200);
    await expect.poll(() => announce('org/two')).toBe(503);
    expect(await runInProcess(['policy', 'set', 'limits.open_uploads', '2'], { env })).toMatchObject({ status: 0 });
    await expect.poll(() => announce('org/two')).toBe(200);
    expect((await runInProcess(['policy', 'show'], { env })).stdout).toMatch(
      /^limits\.open_uploads +2 .*policy\.yaml\nlimits\.upload_idle_days +7 +default$/m,
    );
    expect(await runInProcess(['policy', 'set', 'limits.open_uploads', 'default'], { env })).toMatchObject({ status: 0 });
    const shown = JSON.parse((await runInProcess(['policy', 'show', '--json'], { env })).stdout) as unknown;
    expect(shown).toMatchObject({ policy: { limits: { open_uploads: 64 } }, origin: { 'limits.open_uploads': 'default' } });
  });

  usualTest('skulk policy shows, changes and resets the settings for Hub clients, and accepts units for bytes', async () => {
    const home = await temporaryDirectory();
    await mkdir(join(home, 'store/.skulk/v1'), { recursive: true });
    const env = { SKULK_HOME: home };
    const show = async () => JSON.parse((await runInProcess(['policy', 'show', '--json'], { env })).stdout) as unknown;
    expect(await show()).toMatchObject({
      policy: { hub: { upstream: 'on-demand', max_fetch_bytes: 100 * 1024 ** 3, share_gated: true, cors_origins: [] } },
      origin: { 'hub.upstream': 'default' },
    });
    for (const [key, ...values] of [
      ['hub.upstream', 'off'],
      ['hub.max_fetch_bytes', '1.5T'],
      ['hub.share_gated', 'false'],
      ['hub.cors_origins', 'https://chat.example.com', 'http://[::1]:8080'],
    ])
      expect(await runInProcess(['policy', 'set', key ?? '', ...values], { env })).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({
      policy: {
        hub: {
          upstream: 'off',
          max_fetch_bytes: 1.5 * 1024 ** 4,
          share_gated: false,
          cors_origins: ['https://chat.example.com', 'http://[::1]:8080'],
        },
      },
      origin: { 'hub.upstream': 'file' },
    });
    expect((await runInProcess(['policy', 'show'], { env })).stdout).toMatch(/^hub\.max_fetch_bytes +1649267441664 \(1\.50 TiB\) /m);
    expect(await runInProcess(['policy', 'set', 'hub.upstream', 'default'], { env })).toMatchObject({ status: 0 });
    expect(await show()).toMatchObject({ policy: { hub: { upstream: 'on-demand' } }, origin: { 'hub.upstream': 'default' } });
  });

  usualTest.each([
    [['set', 'hub.upstream', 'maybe'], /hub\.upstream must be one of on-demand, job, off/],
    [['set', 'swarm.enabled', 'maybe'], /^skulk: swarm\.enabled must be one of auto, off, true, false\nhint:/],
    [
      ['set', 'hub.max_fetch_bytes', 'lots'],
      /hub\.max_fetch_bytes must be [\s\S]*hint: hub\.max_fetch_bytes takes a number of bytes, .*200G/,
    ],
    [['set', 'hub.cors_origins', 'https://a.example/path'], /cors_origins/],
    [['set', 'limits.open_uploads', '0'], /limits\.open_uploads must[\s\S]*hint: limits\.open_uploads takes a whole number from 1 to 1024/],
    [['set', 'limits.opn_uploads', '3'], /did you mean "open_uploads"/],
    [['set', 'lna', 'read'], /lna is not known[\s\S]*did you mean "lan"/],
    [['set', 'lan', 'all'], /lan must be one of node, read, none/],
    [['set', 'lan', '[', ']'], /takes a key and a value/],
    [['set', 'lan', '['], /is not a value/],
    [['set', 'server_names', 'http://x'], /server_names/],
    [['set', 'lan'], /takes a key and a value/],
    [['show', 'lan'], /takes nothing else/],
  ])('%j is refused with a clear message, and nothing is written', async (args, says) => {
    const home = await temporaryDirectory();
    await mkdir(join(home, 'store/.skulk/v1'), { recursive: true });
    const file = join(home, 'store/.skulk/v1/policy.yaml');
    await writeFile(file, 'lan: read\n');
    const ended = await runInProcess(['policy', ...args], { env: { SKULK_HOME: home } });
    expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(says) });
    expect(await readFile(file, 'utf8')).toBe('lan: read\n');
  });

  usualTest('a policy file that is empty or absent for a moment grants no access, and one that stays so restores the default', async () => {
    const root = await temporaryDirectory();
    const file = join(root, '.skulk/v1/policy.yaml');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'lan: none\n');
    let now = 0;
    const policy = await openStorePolicy({ root, emit: () => {}, signal: new AbortController().signal, now: () => now });
    const lan = async (): Promise<string> => {
      now += 1_000;
      return (await policy.current()).lan;
    };
    for (const half of ['', '# what the LAN may do\n', 'server_names: [nas.example.com]\n', undefined]) {
      if (half === undefined) await rm(file);
      else await writeFile(file, half);
      expect([half, await lan()]).toEqual([half, 'none']);
      expect([half, await lan()]).toEqual([half, 'none']);
      await writeFile(file, 'lan: none\n# again\n');
      expect([half, await lan()]).toEqual([half, 'none']);
    }
    // An explicit value counts at once, and an absent file counts in the end.
    await writeFile(file, 'lan: read\n');
    expect(await lan()).toBe('read');
    // A disk that is away is not an absent file.
    await rename(dirname(file), join(root, 'away'));
    expect([await lan(), await lan(), await lan(), await lan()]).toEqual(['read', 'read', 'read', 'read']);
    await rename(join(root, 'away'), dirname(file));
    await rm(file);
    expect([await lan(), await lan(), await lan()]).toEqual(['read', 'read', 'node']);
  });

  usualTest('of two changes at once, each names the value right before it', async () => {
    const root = join(await temporaryDirectory(), 'store');
    await mkdir(join(root, '.skulk/v1'), { recursive: true });
    const { signal } = new AbortController();
    const changed = await Promise.all(['read', 'none'].map((lan) => changePolicy({ root, changes: { lan }, signal })));
    const steps = changed.map(({ before, policy }) => [before?.['lan'], policy['lan']]);
    const [first, second] = steps[0]?.[0] === 'node' ? steps : steps.toReversed();
    expect([first?.[0], second?.[0]]).toEqual(['node', first?.[1]]);
  });

  usualTest('a request after a change gets the changed policy, also while earlier requests are in progress', async () => {
    const root = await temporaryDirectory();
    const file = join(root, '.skulk/v1/policy.yaml');
    await mkdir(dirname(file), { recursive: true });
    const policy = await openStorePolicy({ root, emit: () => {}, signal: new AbortController().signal });
    const given: string[] = [];
    const wanted = Array.from({ length: 40 }, (_, turn) => ['none', 'read', 'node'][turn % 3]);
    for (const lan of wanted) {
      const before = [policy.current(), policy.current()];
      await writeFile(`${file}.new`, `lan: ${lan}\n`);
      await rename(`${file}.new`, file);
      given.push((await policy.current()).lan);
      await Promise.all(before);
    }
    expect(given).toEqual(wanted);

    // A pipe holds a read that has begun.
    spawnSync('mkfifo', [`${file}.new`]);
    await rename(`${file}.new`, file);
    const earlier = policy.current();
    const pipe = await within('the read that has begun', open(file, 'w'));
    await writeFile(`${file}.new`, 'lan: read\n');
    await rename(`${file}.new`, file);
    const later = policy.current();
    await pipe.writeFile('lan: none\n');
    await pipe.close();
    expect([(await earlier).lan, (await later).lan]).toEqual(['none', 'read']);
  });

  usualTest('a broken policy file prevents the start of a server, and a running server keeps its old policy', async () => {
    const host = await serveHost();
    const env = { SKULK_HOME: host.home };
    const file = join(host.storePath, '.skulk/v1/policy.yaml');
    expect(await runInProcess(['policy', 'set', 'lan', 'none'], { env })).toMatchObject({ status: 0 });
    const status = async (): Promise<number> => (await ask(host.url, '/models')).status;
    await expect.poll(status).toBe(401);
    for (const broken of ['lan: nobody\n', 'lna: node\n', 'lan: [\n']) {
      await writeFile(file, broken);
      await expect.poll(async () => [await status(), host.stderr()]).toEqual([401, expect.stringContaining('stays in force')]);
    }
    const validated = await runInProcess(['policy', 'validate'], { env });
    expect(validated).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('policy.yaml:') });
    expect(await status()).toBe(401);
    await host.stop();
    const again = await runInProcess(['serve', '--host', '127.0.0.1', '--port', '0', '--api-port', '0'], { env });
    expect(again).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('policy.yaml:') });
  });
});
