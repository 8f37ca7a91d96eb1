import { expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { createHostSwarms, type HostSwarmsOptions } from '../../src/core/swarm/host-swarms.ts';

const digest = 'a'.repeat(64) as Sha256;
const manifest = { model_id: 'org/a', digest, files: [{ path: 'w.gguf', size: 1000, sha256: 'b'.repeat(64) }] } as unknown as Manifest;

/** Swarms of a store with the model org/a, and with org/b, which has other content. */
function swarmsOfTwo(): ReturnType<typeof createHostSwarms> {
  const store = {
    manifest: async (modelId: string) => ({
      state: 'ready',
      manifest: modelId === 'org/a' ? manifest : { ...manifest, model_id: modelId, digest: 'c'.repeat(64) },
    }),
    onRemoved: () => () => undefined,
    requireDisk: async () => undefined,
  } as unknown as HostSwarmsOptions['store'];
  const swarms = createHostSwarms({
    store,
    seeding: { rest: async () => undefined, [Symbol.asyncDispose]: async () => undefined } as unknown as HostSwarmsOptions['seeding'],
    torrents: {} as HostSwarmsOptions['torrents'],
    directoryOf: async () => '/nowhere',
    isAllowed: async () => true,
    trackerUrl: () => undefined,
    signal: new AbortController().signal,
    now: () => new Date(0),
    warn: () => undefined,
    clock: () => 0,
  });
  onTestFinished(() => swarms.close());
  return swarms;
}

const outside = { state: 'wire', member: '', members: 0, host_sent_bytes: 0 };

test('a node takes part in a swarm only with the model of the swarm and its digest', async () => {
  const swarms = swarmsOfTwo();
  const [a, b] = [parseModelId('org/a'), parseModelId('org/b')];
  expect(await swarms.ask(b, { digest }, '10.0.0.3')).toEqual(outside);
  expect(await swarms.ask(a, { digest }, '10.0.0.2')).toEqual({ ...outside, member: expect.stringMatching(/./), members: 1 });
  expect(await swarms.ask(b, { digest }, '10.0.0.3')).toEqual(outside);
  expect(await swarms.ask(a, { digest: '../x' as Sha256 }, '10.0.0.3')).toEqual(outside);
  expect(await swarms.list()).toMatchObject({ swarms: [{ model_id: 'org/a', members: 1 }] });
});
