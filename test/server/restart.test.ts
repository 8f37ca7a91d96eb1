import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf, pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { type Served, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const restart = (url: string, headers: Readonly<Record<string, string>>) => ask(url, '/node/restart', { method: 'POST', headers });

/** The lines in which a process reported that it is ready. */
const readyLines = ({ running }: Served): readonly string[] => running.stdout().trim().split('\n');

longTest('an admin restarts a server in place, and an upload that runs meanwhile completes', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  await writeFiles(source, { 'a.bin': noise(3 * chunkSize, 1), 'config.json': '{}' });
  const file = join(home, 'skulk.yaml');
  await writeFile(file, '');
  const served = await startServe({ home: join(home, 'host'), args: ['--config', file] });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const admin = { Authorization: `Bearer ${await adminKeyOf(served.home)}` };
  const code = (await pageLink(served)).replace(/^.*#code=/, '');
  const tab = await ask(served.apiUrl, '/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const page = { Authorization: `Bearer ${(tab.json() as { key: string }).key}` };

  await writeFile(file, 'model_store:\n  staging:\n    enabled: perhaps\n');
  expect(await restart(served.apiUrl, admin)).toMatchObject({ status: 409 });
  // So is a file that was not there when it started.
  await writeFile(join(served.home, 'machine.yaml'), '- none\n');
  const refused = await restart(served.apiUrl, admin);
  expect([refused.status, (refused.json() as { detail: string }).detail]).toEqual([409, expect.stringContaining('machine.yaml:1')]);
  await rm(join(served.home, 'machine.yaml'));
  await writeFile(file, 'model_store:\n  download:\n    allow_hf_fallback: false\n');

  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  // A sender on the store host would not upload.
  proxy.setHealth((health) => ({ ...health, store_path: '/on/another/machine' }));
  let answer: Promise<unknown> | undefined;
  proxy.onRequest((line) => {
    if (/^PUT .*\/[0-9a-f]{64}\//.test(line)) answer ??= restart(served.apiUrl, page);
  });
  const upload = startSkulk(['add', source, '--as', 'org/up'], { env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url } });
  const ended = await upload.exited;
  expect(ended, `${ended.stderr}${served.stderr()}`).toMatchObject({ status: 0 });
  expect(await answer).toMatchObject({ status: 202 });

  // The same process, the same ports, the key of the tab, and the new settings.
  const [first = '', second = ''] = await until(
    'the second start',
    () => readyLines(served).length === 2 && readyLines(served),
    () => `${served.running.stdout()}${served.stderr()}`,
  );
  expect(JSON.parse(second)).toEqual(JSON.parse(first));
  expect(JSON.parse(second)).toMatchObject({ pid: served.pid });
  expect((await ask(served.apiUrl, '/session', { headers: page })).json()).toMatchObject({ role: 'admin', credential: 'page' });
  expect((await ask(served.apiUrl, '/config')).json()).toMatchObject({ restart_required: false });
  expect(await digestsBelow(join(served.storePath, 'org--up'))).toEqual(await digestsBelow(source));
  const audit = (await ask(served.apiUrl, '/store/audit?kind=restart', { headers: admin })).json();
  expect(audit).toMatchObject({ entries: [{ action: 'restart', who: 'page', code: null }, { code: 'CONFLICT' }, { code: 'CONFLICT' }] });
  expect(served.stderr()).not.toMatch(/ExperimentalWarning|execve/);
  // It still ends like any other server.
  expect(await served.stop()).toMatchObject({ status: 0, signal: null });
});

usualTest('a server restarts only for an admin, not for pages of other sites, and says so if it cannot', async () => {
  const served = await serveInProcess({ home: await temporaryDirectory() });
  const admin = { Authorization: `Bearer ${await adminKeyOf(served.home)}` };
  expect(await restart(served.apiUrl, {})).toMatchObject({ status: 403 });
  expect(await restart(served.apiUrl, { ...admin, Origin: 'https://elsewhere.example' })).toMatchObject({ status: 403 });
  // A server inside of another program cannot replace its process.
  const refused = await restart(served.apiUrl, admin);
  expect(refused).toMatchObject({ status: 409 });
  expect(refused.json()).toMatchObject({ detail: expect.stringContaining('cannot restart itself'), code: 'CONFLICT' });
  expect((await ask(served.apiUrl, '/node/identity')).json()).toMatchObject({ can_restart: false });
});
