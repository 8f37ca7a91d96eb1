import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { acquireLock, type HeldLock, isHeld, readLock, tryLock } from '../../src/core/kernel/process/lock.ts';
import type { LockHolder } from '../../src/core/kernel/process/lock-claims.ts';
import { createObserver } from '../../src/core/kernel/process/observe.ts';
import { identifySelf } from '../../src/core/kernel/process/process-identity.ts';
import { codeOf } from '../contract/store-contract.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const signal = new AbortController().signal;
const module = fileURLToPath(new URL('../../src/core/kernel/process/lock.ts', import.meta.url));

async function take(path: string): Promise<HeldLock> {
  const lock = await tryLock(path, 'a test');
  if (!isHeld(lock)) throw new Error(`held by ${lock.pid}`);
  return lock;
}

/** A process that takes the lock, reports it, and lives until it is killed. */
async function holderProcess(path: string) {
  const script = `import { tryLock } from ${JSON.stringify(module)}; await tryLock(${JSON.stringify(path)}, 'another'); process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Makes a claim of another process. */
async function writeClaim(path: string, holder: Partial<LockHolder>, number = 1): Promise<string> {
  const file = join(path, String(number), 'holder.json');
  await mkdir(join(path, String(number)), { recursive: true });
  const full: LockHolder = {
    pid: 1,
    startTime: 'elsewhere:1',
    hostname: 'elsewhere',
    token: 'f'.repeat(24),
    since: '',
    purpose: 'a test',
    ...holder,
  };
  await writeFile(file, JSON.stringify(full));
  return file;
}

usualTest('a lock has one holder, the next process can read its holder, and a release frees it', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  expect(await readLock(path)).toBeUndefined();
  const lock = await take(path);
  expect(await tryLock(path, 'another')).toMatchObject({ pid: process.pid, purpose: 'a test' });
  await lock.update({ url: 'http://x' });
  expect(await readLock(path)).toMatchObject({ url: 'http://x', token: lock.holder.token });
  expect(await codeOf(acquireLock(path, { purpose: 'x', timeoutMs: 0, signal }))).toBe('LOCKED');
  await lock.release();
  await lock.release();
  expect(await readLock(path)).toBeUndefined();
  await (await take(path)).release();
});

usualTest('a lock that many processes request at the same time has one holder at a time', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      await using _ = await acquireLock(path, { purpose: 'x', timeoutMs: 60_000, signal });
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    }),
  );
  expect(most).toBe(1);
  expect(await readdir(path)).toHaveLength(1);
});

usualTest('a lock of a killed holder is free at once, regardless of the dates of its files', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const child = await holderProcess(path);
  expect(await tryLock(path, 'a test')).toMatchObject({ pid: child.pid });
  const file = join(path, '1', 'holder.json');
  const tomorrow = new Date(Date.now() + 24 * 3600_000);
  await utimes(file, tomorrow, tomorrow);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await take(path)).release();
});

usualTest('a lock of a living holder stays held, regardless of the dates of its files', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const lock = await take(path);
  await utimes(join(path, '1', 'holder.json'), new Date(0), new Date(0));
  expect(isHeld(await tryLock(path, 'another'))).toBe(false);
  await lock.release();
});

usualTest('a reused pid does not count as the holder of a lock', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  await writeClaim(path, { ...(await identifySelf()), startTime: `${(await identifySelf()).startTime}0` });
  await (await take(path)).release();
});

usualTest('a lock with an incomplete claim or an emptied directory is free', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const file = await writeClaim(path, {});
  await writeFile(file, '{"pid": 1');
  await (await take(path)).release();
  const other = join(await temporaryDirectory(), 'lock');
  await mkdir(join(other, '7'), { recursive: true });
  const lock = await take(other);
  expect(await readdir(other)).toEqual(['8']);
  await lock.release();
});

longTest('a holder on another machine keeps its lock while its heartbeat changes, and loses it after a silence', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const file = await writeClaim(path, {});
  expect(await tryLock(path, 'x')).toMatchObject({ hostname: 'elsewhere' });
  let beats = 0;
  const heart = setInterval(() => {
    beats += 1;
    // A clock that jumps is a heartbeat like any other.
    void utimes(file, new Date(beats % 2 === 0 ? 0 : Date.now() + 1e9), new Date(beats * 1000)).catch(() => undefined);
    if (beats === 20) clearInterval(heart);
  }, 20);
  onTestFinished(() => clearInterval(heart));
  const lock = await acquireLock(path, { purpose: 'x', timeoutMs: 60_000, foreignSilenceMs: 3000, signal });
  expect(beats).toBe(20);
  expect(JSON.parse(await readFile(join(path, '2', 'holder.json'), 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

usualTest.runIf(process.platform === 'linux')('a machine with a changed host name recognizes its own dead processes', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const child = await holderProcess(path);
  const file = join(path, '1', 'holder.json');
  const holder = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...holder, hostname: 'its-old-name' }));
  expect(isHeld(await tryLock(path, 'x'))).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await take(path)).release();
});

usualTest('waiting for a lock ends with the signal, and at once for a holder that will not release it soon', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const lock = await take(path);
  const controller = new AbortController();
  const waiting = acquireLock(path, {
    purpose: 'x',
    timeoutMs: 60_000,
    signal: controller.signal,
    onWait: () => controller.abort(new Error('enough')),
  });
  await expect(waiting).rejects.toThrow();
  expect(await codeOf(acquireLock(path, { purpose: 'x', timeoutMs: 60_000, signal, isHopeless: () => true }))).toBe('LOCKED');
  await lock.release();
});

usualTest.each([
  ['back', 1],
  ['forward', -1],
])('a clock that jumped %s by a day does not free a living holder or keep a dead one', async (_, sign) => {
  const day = 86_400_000 * sign;
  const path = join(await temporaryDirectory(), 'lock');
  const child = await holderProcess(path);
  const [number = ''] = (await readdir(path)).filter((name) => /^\d+$/.test(name));
  const file = join(path, number, 'holder.json');
  const then = new Date(Date.now() + day);
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), since: then.toISOString() }));
  await utimes(file, then, then);
  await utimes(path, then, then);
  expect(await tryLock(path, 'x')).toMatchObject({ pid: child.pid });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await take(path)).release();
});

/** Makes a lock of this process look like one that is held elsewhere. */
async function moveElsewhere(path: string, { holder }: HeldLock): Promise<void> {
  const [number = ''] = (await readdir(path)).filter((name) => /^\d+$/.test(name));
  const elsewhere = { ...holder, startTime: 'elsewhere:1', hostname: 'elsewhere', namespace: 'pid:[1]' };
  await writeFile(join(path, number, 'holder.json'), JSON.stringify(elsewhere));
}

usualTest('a holder that was silent until another process took its lock must stop', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const lock = await take(path);
  await moveElsewhere(path, lock);
  await lock.assertHeld();
  const next = await acquireLock(path, { purpose: 'the next one', timeoutMs: 60_000, foreignSilenceMs: 200, signal });
  await expect(lock.assertHeld()).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringMatching(/suspended for too long, and the next one \(pid \d+\) has taken .*lock/),
  });
  expect(lock.lost.aborted).toBe(true);
  await next.assertHeld();
  // The loser releases only its own lock.
  await lock.release();
  await next.assertHeld();
  expect(await readLock(path)).toMatchObject({ purpose: 'the next one' });
  await next.release();
});

longTest('a holder is notified within a heartbeat that another process took its lock', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const lock = await take(path);
  await moveElsewhere(path, lock);
  const next = await acquireLock(path, { purpose: 'the next one', timeoutMs: 60_000, foreignSilenceMs: 200, signal });
  await once(lock.lost, 'abort');
  expect(lock.lost.reason).toMatchObject({ code: 'LOCKED' });
  await next.release();
});

usualTest('a lock whose directory is missing is not held, and is held again when the directory is back', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  const lock = await take(path);
  await rename(path, `${path}.away`);
  await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining('is gone') });
  await rename(`${path}.away`, path);
  await lock.assertHeld();
  expect(lock.lost.aborted).toBe(false);
  await lock.release();
});

usualTest('a lock of a holder elsewhere is refused after its next heartbeat, and taken when no heartbeat is seen', async () => {
  const path = join(await temporaryDirectory(), 'lock');
  await writeClaim(path, { namespace: 'pid:[1]', purpose: 'skulk serve' });
  await writeFile(join(path, '1', 'beat'), 'a'.repeat(16));
  const refused = acquireLock(path, {
    purpose: 'x',
    timeoutMs: 0,
    signal,
    isHopeless: () => true,
    onWait: () => void writeFile(join(path, '1', 'beat'), 'b'.repeat(16)),
  });
  await expect(refused).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringMatching(/skulk serve \(pid 1 on elsewhere\)/) });
  let time = 0;
  const command = () => createObserver({ boot: async () => 'b', name: 'n', now: () => time });
  expect(await readLock(path, { observer: command() })).toMatchObject({ hostname: 'elsewhere' });
  time += 29_000;
  expect(isHeld(await tryLock(path, 'x', { observer: command() }))).toBe(false);
  await writeFile(join(path, '1', 'beat'), 'c'.repeat(16));
  time += 2_000;
  expect(isHeld(await tryLock(path, 'x', { observer: command() }))).toBe(false);
  time += 31_000;
  expect(await readLock(path, { observer: command() })).toBeUndefined();
  const lock = await tryLock(path, 'x', { observer: command() });
  if (!isHeld(lock)) throw new Error('not taken');
  await lock.release();
});
