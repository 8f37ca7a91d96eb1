import { access, appendFile, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { isLong } from '../helpers/seeded.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const size = 2 * chunkSize;
const content = noise(size, 11);

/** Changes that a user may make to a canonical file outside skulk. */
const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
  removed: (path) => rm(path),
  truncated: (path) => truncate(path, chunkSize + 17),
  emptied: (path) => truncate(path, 0),
  lengthened: (path) => appendFile(path, 'more'),
  'replaced by other content of the same size': async (path) => {
    await writeFile(`${path}.new`, noise(size, 12));
    await rename(`${path}.new`, path);
  },
  'changed in place, near its end': async (path) => {
    const file = await open(path, 'r+');
    await file.write(Buffer.from('wrong'), 0, 5, size - 100);
    await file.close();
  },
};

async function hostAndNode() {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'm'), { 'model.bin': content, 'config.json': '{}' });
  const served = await serveInProcess({ home: join(home, 'host') });
  const env = { SKULK_HOME: join(home, 'host') };
  expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env })).status).toBe(0);
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return {
    served,
    proxy,
    host: (...args: string[]) => runInProcess(args, { env }),
    node: { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url },
    file: join(served.storePath, 'org--m', 'model.bin'),
    source: join(home, 'm'),
    copy: join(home, 'node', 'staging', 'org--m'),
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const tried = Object.entries(damages).filter(([name]) => isLong || name === 'changed in place, near its end');

describe.each(tried)('a canonical file that is %s', (name, damage) => {
  test('during a stage is never published, and the store reports it', async () => {
    const { served, proxy, host, node, file, source, copy } = await within('the set-up', hostAndNode());
    const log = (): string => `${served.stderr()}\n${proxy.requests.join('\n')}\n${proxy.bytes()} bytes`;
    const whole = await digestsBelow(source);
    proxy.setRate(60e6);
    const stage = startSkulk(['stage', 'org/m', '--connections', '1'], { env: node });
    await within('the first chunk', Promise.race([proxy.passed(chunkSize + 100_000), stage.exited]), () => stage.stderr() + log());
    await damage(file);
    const { status, stdout, stderr } = await within('the stage', stage.exited, () => stage.stderr() + log());
    // A file that was open already may still have been read to its end.
    expect([0, 3, 6], stderr).toContain(status);
    if (status === 0) expect(await digestsBelow(copy)).toEqual(whole);
    else {
      expect(stdout).toBe('');
      expect(stderr).toMatch(/hint: /);
      expect(await exists(copy)).toBe(false);
    }
    // Without the copy the fault must be reported in any case.
    await rm(copy, { recursive: true, force: true });
    const again = await runInProcess(['stage', 'org/m', '--force'], { env: node });
    expect([3, 6], again.stderr).toContain(again.status);
    expect(await exists(copy)).toBe(false);
    expect((await fetch(`${served.url}/health`)).status).toBe(200);
    const answer = await within('the request', fetch(`${served.url}/models/org%2Fm/model.bin`), log);
    expect([404, 500]).toContain(answer.status);
    if (answer.status === 500) expect(await answer.json()).toMatchObject({ code: 'INTEGRITY' });
    const verified = await within('verify', host('verify', '--json'), log);
    expect(verified.status).toBe(6);
    expect(verified.stderr).toContain('org/m');
    // After the file is restored, the model is complete again.
    await writeFile(file, content);
    expect((await within('verify of the mended file', host('verify'), log)).status, name).toBe(0);
    expect((await runInProcess(['stage', 'org/m'], { env: node })).status).toBe(0);
    expect(await digestsBelow(copy)).toEqual(whole);
  });
});

test('the next stage repairs a staged copy that was changed on the node, and sends show only the problems', async () => {
  const { proxy, node, source, copy } = await hostAndNode();
  const whole = await digestsBelow(source);
  for (const [name, damage] of tried) {
    expect((await runInProcess(['stage', 'org/m'], { env: node })).status).toBe(0);
    await damage(join(copy, 'model.bin'));
    const before = proxy.bytes();
    expect(await runInProcess(['stage', 'org/m'], { env: node }), name).toMatchObject({ status: 0 });
    expect(await digestsBelow(copy), name).toEqual(whole);
    if (name === 'changed in place, near its end') expect(proxy.bytes() - before).toBeLessThan(chunkSize + 200_000);
  }
  expect(await readFile(join(copy, 'config.json'), 'utf8')).toBe('{}');
});
