import { chmod, chown, lchown, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { prepareAdminKey, readAdminKey } from '../../src/core/access/admin-key.ts';
import { closeHome } from '../../src/core/access/close-home.ts';
import { createPageKeys } from '../../src/core/access/page-keys.ts';
import { findServer, keyFor, recordServer } from '../../src/core/access/serve-record.ts';
import { openTokenBook } from '../../src/core/access/token-book.ts';
import { ensureAdminKey } from '../helpers/admin-key.ts';
import { exfatDisk } from '../helpers/exfat-disk.ts';
import { rawServer } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('the key of a machine', () => {
  usualTest('is created once, also by many processes at the same time, and only its owner can read it', async () => {
    const home = await temporaryDirectory();
    const keys = await Promise.all(Array.from({ length: 20 }, () => ensureAdminKey(home, () => {})));
    expect(new Set(keys)).toEqual(new Set([await readAdminKey(home)]));
    expect(keys[0]).toMatch(/^[\w-]{43}$/);
    expect(await modeOf(join(home, 'admin-key'))).toBe(0o600);
    expect(await readdir(home)).toEqual(['admin-key']);
  });

  usualTest('is replaced when other users could read it, or when the file has no valid key', async () => {
    const home = await temporaryDirectory();
    const first = await ensureAdminKey(home, () => {});
    await chmod(join(home, 'admin-key'), 0o644);
    const told: string[] = [];
    // A server that gets no port replaces nothing.
    await prepareAdminKey(home, (path) => void told.push(path));
    expect([await readAdminKey(home), told]).toEqual([first, []]);
    const second = await ensureAdminKey(home, (path) => void told.push(path));
    expect(second).not.toBe(first);
    expect(told).toEqual([join(home, 'admin-key')]);
    expect(await modeOf(join(home, 'admin-key'))).toBe(0o600);
    await writeFile(join(home, 'admin-key'), '');
    expect(await ensureAdminKey(home, () => {})).toMatch(/^[\w-]{43}$/);
  });

  usualTest('stays on a disk that does not keep modes, with a warning at each start', wants('an exFAT disk'), async () => {
    const home = await exfatDisk();
    const told: string[] = [];
    const ensure = () => ensureAdminKey(home, (_, news) => void told.push(news));
    const first = await ensure();
    expect([await ensure(), await ensure(), await readAdminKey(home)]).toEqual([first, first, first]);
    expect(told).toEqual(['unprotected', 'unprotected', 'unprotected']);
    expect(await readdir(home)).toEqual(['admin-key']);
  });
});

/** The uid of no user that runs tests. */
const stranger = 12_345;

describe('a file that another user of this machine created', () => {
  usualTest('is not accepted as a key, as the record of a server or as a list of tokens', wants('root'), async () => {
    const home = await temporaryDirectory();
    const path = join(home, 'admin-key');
    await writeFile(path, `${'x'.repeat(43)}\n`, { mode: 0o600 });
    await chown(path, stranger, stranger);
    await expect(ensureAdminKey(home)).rejects.toMatchObject({ code: 'PERMISSION', message: expect.stringContaining(`#${stranger}`) });
    expect(await readFile(path, 'utf8')).toBe(`${'x'.repeat(43)}\n`);
    // With sudo, root serves for the owner of the directory, with the key of that user.
    await chown(home, stranger, stranger);
    expect(await ensureAdminKey(home)).toBe('x'.repeat(43));
    await chown(home, 0, 0);
    await rm(path);
    const key = await ensureAdminKey(home);

    const server = { role: 'store', storePath: '/s', apiUrl: 'http://127.0.0.1:2', localApiUrl: 'http://127.0.0.1:2' } as const;
    await recordServer(home, { ...server, urls: ['http://127.0.0.1:1'] });
    expect(await keyFor(home, 'http://127.0.0.1:1')).toBe(key);
    await chown(join(home, 'serve.json'), stranger, stranger);
    expect(await keyFor(home, 'http://127.0.0.1:1')).toBeUndefined();
    expect(await findServer(home)).toBeUndefined();
    // A link belongs to its owner, regardless of its target.
    await rename(join(home, 'serve.json'), join(home, 'mine'));
    await chown(join(home, 'mine'), 0, 0);
    await symlink(join(home, 'mine'), join(home, 'serve.json'));
    await lchown(join(home, 'serve.json'), stranger, stranger);
    expect(await keyFor(home, 'http://127.0.0.1:1')).toBeUndefined();

    const file = join(home, 'tokens.json');
    const book = openTokenBook({ file, lock: join(home, 'lock'), signal: new AbortController().signal });
    const { token } = await book.create({ name: 'laptop', role: 'admin' });
    expect(await book.find(token)).toMatchObject({ role: 'admin' });
    await chown(file, stranger, stranger);
    await expect(book.find(token)).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining(`uid ${stranger}`) });
    // Root may manage the stores of other users.
    await chown(home, stranger, stranger);
    expect(await book.find(token)).toMatchObject({ role: 'admin' });
  });

  usualTest('cannot be in the directory of the key, regardless of the umask with which the directory was created', async () => {
    const home = join(await temporaryDirectory(), 'home');
    const told: string[] = [];
    await mkdir(home);
    await chmod(home, 0o777);
    await closeHome(home, (path) => void told.push(path));
    expect(await modeOf(home)).toBe(0o755);
    // A group may share it on purpose.
    await chmod(home, 0o775);
    await closeHome(home, (path) => void told.push(path));
    expect(await modeOf(home)).toBe(0o775);
    await chmod(home, 0o1777);
    await closeHome(home, (path) => void told.push(path));
    expect((await stat(home)).mode & 0o7777).toBe(0o1777);
    expect(told).toEqual([]);
  });
});

describe('the record of a running server', () => {
  const server = { role: 'store', storePath: '/s', apiUrl: 'http://127.0.0.1:2', localApiUrl: 'http://127.0.0.1:2' } as const;

  usualTest('gives the key only for the URLs of that process', async () => {
    const home = await temporaryDirectory();
    const key = await ensureAdminKey(home, () => {});
    expect(await keyFor(home, 'http://127.0.0.1:1')).toBeUndefined();
    const forget = await recordServer(home, { ...server, urls: ['http://127.0.0.1:1', 'http://203.0.113.7:1'] });
    expect(await modeOf(join(home, 'serve.json'))).toBe(0o600);
    expect(await keyFor(home, 'http://127.0.0.1:1')).toBe(key);
    expect(await keyFor(home, 'http://127.0.0.1:1/')).toBe(key);
    for (const url of [
      'http://127.0.0.1:3',
      'http://127.0.0.2:1',
      'https://127.0.0.1:1',
      'http://localhost:1',
      'http://127.0.0.1:1@evil.example',
      // It had that address in another network; here the address belongs to another machine.
      'http://203.0.113.7:1',
      'nonsense',
    ])
      expect([url, await keyFor(home, url)]).toEqual([url, undefined]);

    // Another process with the same pid, and another namespace.
    const record = JSON.parse(await readFile(join(home, 'serve.json'), 'utf8')) as object;
    for (const other of [{ startTime: 'another' }, { pid: 2 ** 22 + 1 }, { namespaces: ['pid:[1]', 'net:[1]'] }, { urls: 'none' }]) {
      await writeFile(join(home, 'serve.json'), JSON.stringify({ ...record, ...other }));
      expect([other, await keyFor(home, 'http://127.0.0.1:1')]).toEqual([other, undefined]);
      // A file of another server stays unchanged.
      if (!('urls' in other) && !('namespaces' in other)) await forget();
    }
    expect(await readdir(home)).toContain('serve.json');
    await writeFile(join(home, 'serve.json'), JSON.stringify(record));
    expect(await findServer(home)).toMatchObject({ pid: process.pid });
    await forget();
    expect(await readdir(home)).not.toContain('serve.json');
  });

  longTest('commands send the key only to the server in the record, regardless of which program answers at its port', async () => {
    const home = await temporaryDirectory();
    const host = await serveInProcess({ home });
    onTestFinished(() => host[Symbol.asyncDispose]());
    const key = (await readAdminKey(home)) ?? '';
    // A redirect or another URL gets no key.
    const thief = await rawServer((socket) =>
      socket.end(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${host.url}/registry\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
    );
    onTestFinished(() => thief[Symbol.asyncDispose]());
    const env = { SKULK_HOME: home };
    for (const args of [
      ['registry', '--store', thief.url],
      ['nodes', '--forget', 'x', '--store', thief.url],
      ['token', 'list', '--store', thief.url],
    ])
      expect((await runSkulk(args, { env })).status).not.toBe(0);
    expect(thief.heads.length).toBeGreaterThan(0);
    expect(thief.heads.join('')).not.toMatch(/authorization/i);
    expect(thief.heads.join('')).not.toContain(key);
    // A command may send requests that need the key to its own server.
    expect(await runSkulk(['policy', 'set', 'lan', 'none'], { env })).toMatchObject({ status: 0 });
    expect(await runSkulk(['registry', '--json'], { env })).toMatchObject({ status: 0, stdout: '{"entries":[]}\n' });
    const stranger = await runSkulk(['registry'], { env: { SKULK_HOME: join(home, 'other'), SKULK_STORE: host.url } });
    expect(stranger).toMatchObject({ status: 2, stdout: '' });
    expect(stranger.stderr).toContain('requires a token');
    await host.stop();
    expect(await readdir(home)).not.toContain('serve.json');
  });
});

describe('the codes and keys of browser tabs', () => {
  usualTest('a code opens one tab, within ten minutes', () => {
    let now = 0;
    const pages = createPageKeys({ now: () => now });
    const began = Date.now();
    const { code, expiresAt: codeEnds } = pages.makeCode();
    const { key, expiresAt: keyEnds } = pages.redeem(code, 'a');
    const elapsed = Date.now() - began;
    expect(pages.holds(key)).toBe(true);
    // The dates that its user sees.
    for (const [date, minutes] of [
      [codeEnds, 10],
      [keyEnds, 12 * 60],
    ] as const) {
      expect(date.getTime()).toBeGreaterThanOrEqual(began + minutes * 60_000);
      expect(date.getTime()).toBeLessThanOrEqual(began + elapsed + minutes * 60_000);
    }
    expect(() => pages.redeem(code, 'a')).toThrow(/already used/);
    const { code: old } = pages.makeCode();
    now += 10 * 60_000;
    expect(() => pages.redeem(old, 'b')).toThrow(/older than ten minutes/);
    pages.end(key);
    expect(pages.holds(key)).toBe(false);
  });

  usualTest('a key is valid while it is used, and ends after twelve unused hours', () => {
    let now = 0;
    const pages = createPageKeys({ now: () => now });
    const { key } = pages.redeem(pages.makeCode().code, 'a');
    for (let hours = 0; hours < 48; hours += 11) {
      now += 11 * 3_600_000;
      expect(pages.holds(key)).toBe(true);
    }
    now += 12 * 3_600_000;
    expect(pages.holds(key)).toBe(false);
  });

  usualTest('an address with too many wrong codes is blocked for a minute, and other addresses are not', () => {
    let now = 0;
    const pages = createPageKeys({ now: () => now });
    for (let tries = 0; tries < 5; tries += 1) expect(() => pages.redeem(`guess-${tries}`, 'thief')).toThrow(/already used/);
    const { code } = pages.makeCode();
    expect(() => pages.redeem(code, 'thief')).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
    now += 60_000;
    expect(pages.holds(pages.redeem(code, 'thief').key)).toBe(true);
    expect(pages.holds(pages.redeem(pages.makeCode().code, 'owner').key)).toBe(true);
    // Many guesses and many links need no more memory than a few.
    for (let tries = 0; tries < 5_000; tries += 1) expect(() => pages.redeem('x', `address-${tries}`)).toThrow();
    const first = pages.makeCode().code;
    for (let made = 0; made < 64; made += 1) pages.makeCode();
    expect(() => pages.redeem(first, 'owner')).toThrow(/already used/);
  });
});

describe('named tokens', () => {
  const book = async () => {
    const home = await temporaryDirectory();
    const at = { file: join(home, 'tokens.json'), lock: join(home, 'lock'), signal: new AbortController().signal };
    return { ...at, open: () => openTokenBook(at) };
  };

  usualTest('are recognized by their hash in every process at once, until they are revoked', async () => {
    const { open, file } = await book();
    const [one, other] = [open(), open()];
    expect(await one.list()).toEqual([]);
    const { token } = await one.create({ name: 'laptop', role: 'node' });
    expect(token).toMatch(/^skulk_[\w-]{43}$/);
    expect(await readFile(file, 'utf8')).not.toContain(token.slice(6));
    expect(await modeOf(file)).toBe(0o600);
    expect(await other.find(token)).toMatchObject({ name: 'laptop', role: 'node' });
    expect(await other.find(`${token}x`)).toBeUndefined();
    expect(await other.find('skulk_')).toBeUndefined();
    await expect(other.create({ name: 'laptop', role: 'read' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await one.revoke('laptop');
    expect(await other.find(token)).toBeUndefined();
    await expect(one.revoke('laptop')).rejects.toMatchObject({ code: 'TOKEN_NOT_FOUND' });
  });

  usualTest('are all kept when they are created at the same time', async () => {
    const { open } = await book();
    await Promise.all(Array.from({ length: 12 }, (_, index) => open().create({ name: `n${index}`, role: 'read' })));
    expect(await open().list()).toHaveLength(12);
  });

  usualTest('are all refused when their file is damaged, and the file is not overwritten', async () => {
    const { open, file } = await book();
    const { token } = await open().create({ name: 'laptop', role: 'admin' });
    for (const text of ['', '{', '{"tokens":[{"name":"x","role":"root"}]}', '[]']) {
      await writeFile(file, text);
      await expect(open().find(token)).rejects.toMatchObject({ code: 'CONFIG', hint: expect.stringContaining('backup') });
      await expect(open().create({ name: 'other', role: 'read' })).rejects.toMatchObject({ code: 'CONFIG' });
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });

  usualTest.each(['', '.hidden', 'two words', '../x', 'a'.repeat(65), 'ä'])('cannot be called %j', async (name) => {
    const { open } = await book();
    await expect(open().create({ name, role: 'read' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});
