import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import {
  describePlace,
  identifySelf,
  isLocalProcess,
  lifeOf,
  type ProcessOnMachine,
  type Site,
} from '../../src/core/kernel/process/process-identity.ts';
import { wants } from '../helpers/wants.ts';

const linux: Site = { hostname: 'nas', boot: 'b1', namespace: 'pid:[1]' };
const mac: Site = { hostname: 'mac', boot: '', namespace: undefined };
const here: ProcessOnMachine = { pid: 7, startTime: 'b1:500', hostname: 'nas', namespace: 'pid:[1]' };

test.each<[string, ProcessOnMachine, Site, boolean, string | undefined]>([
  ['the same boot and pid namespace', here, linux, true, undefined],
  ['a hostname that changed, or one of a UTS namespace', { ...here, hostname: 'laptop' }, linux, true, undefined],
  ['another pid namespace', { ...here, namespace: 'pid:[2]' }, linux, false, 'in another container'],
  ['another pid namespace with a name', { ...here, namespace: 'pid:[2]', hostname: 'box' }, linux, false, 'in another container (box)'],
  ['another machine', { ...here, startTime: 'b2:500', hostname: 'mini' }, linux, false, 'on mini'],
  [
    'another machine of the same name',
    { ...here, startTime: 'b2:500' },
    linux,
    false,
    'on another nas, or on this one before its last start',
  ],
  ['a Mac, seen from itself', { pid: 7, startTime: 'Wed Nov 25 23:45:11 2026', hostname: 'mac' }, mac, true, undefined],
  ['a Mac, seen from Linux', { pid: 7, startTime: 'Wed Nov 25 23:45:11 2026', hostname: 'mac' }, linux, false, 'on mac'],
  [
    'a container of a Mac, seen from the Mac',
    { ...here, hostname: 'mac' },
    mac,
    false,
    'on another mac, or on this one before its last start',
  ],
])('a process of %s is identified by boot and pid namespace', (_, holder, own, isLocal, place) => {
  expect(isLocalProcess(holder, own)).toBe(isLocal);
  expect(describePlace(holder, own)).toBe(place);
});

test('the pid of a process in another namespace is not compared with pids of this one', async () => {
  const self = await identifySelf();
  expect(await lifeOf(self)).toBe('alive');
  expect(await lifeOf({ ...self, startTime: `${self.startTime}0` })).toBe('dead');
  if (process.platform !== 'linux') return;
  expect(await lifeOf({ ...self, namespace: 'pid:[1]' })).toBe('unknown');
  expect(await lifeOf({ ...self, pid: 4_194_303, namespace: 'pid:[1]' })).toBe('unknown');
});

test('a process in a pid namespace without a /proc of its own recognizes itself and its children', wants('pid namespaces'), async () => {
  const module = fileURLToPath(new URL('../../src/core/kernel/process/process-identity.ts', import.meta.url));
  const script = `
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { identifyProcess, identifySelf, lifeOf, locate } from ${JSON.stringify(module)};
    const child = spawn('sleep', ['600']);
    const identity = await identifyProcess(child.pid);
    const found = [process.pid, child.pid, await lifeOf(await identifySelf()), await lifeOf(locate(identity))];
    child.kill('SIGKILL');
    await once(child, 'exit');
    console.log(JSON.stringify([...found, await lifeOf(locate(identity)), (await identifySelf()).startTime !== identity.startTime]));
    process.exit();`;
  const { stdout } = await promisify(execFile)('unshare', ['-pf', process.execPath, '--input-type=module', '-e', script]);
  expect(JSON.parse(stdout)).toEqual([1, expect.any(Number), 'alive', 'alive', 'dead', true]);
});
