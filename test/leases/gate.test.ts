import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { evictCopy } from '../../src/core/staging/evict-copy.ts';
import { copyRecordName, incomingCopy, stagingLayout } from '../../src/core/staging/layout.ts';
import { behindGate } from '../../src/core/staging/leases/gate.ts';
import { leasePath } from '../../src/core/staging/leases/lease.ts';
import { takeLease } from '../../src/core/staging/leases/take-lease.ts';
import { serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';
import { until } from '../helpers/waiting.ts';

const modelId = parseModelId('org/m');

async function stagedNode() {
  const { proxy, replace } = await serveThroughProxy({ 'org/m': { a: 'old' } });
  const node = await stagingNode(proxy.url);
  const { path } = await node.stage('org/m');
  const { signal } = node.world;
  const now = (): Date => new Date();
  const layout = stagingLayout(node.root);
  const lease = () =>
    takeLease(layout, { modelId, purpose: 'a test', holders: [{ pid: 1, startTime: 'x', hostname: 'another' }], now: now(), signal });
  return { node, layout, path, replace, signal, now, lease };
}

/** Whether something has not ended after a while in which it would have ended. */
const isPending = (work: Promise<unknown>): Promise<boolean> => Promise.race([work.then(() => false), sleep(150).then(() => true)]);

describe('the second of two concurrent changes sees the first', () => {
  test('when an eviction waits for the gate and a lease is taken meanwhile', async () => {
    const { layout, path, signal, now, lease } = await stagedNode();
    const { lease: model } = await lease();
    const text = await readFile(leasePath(layout, model.lease_id), 'utf8');
    await rm(leasePath(layout, model.lease_id));
    let eviction: ReturnType<typeof evictCopy> | undefined;
    await behindGate(layout, signal, async () => {
      eviction = evictCopy(layout, modelId, { storePath: '/nowhere', now, signal });
      expect(await isPending(eviction)).toBe(true);
      await writeFile(leasePath(layout, model.lease_id), text);
    });
    expect(await eviction).toMatchObject({ outcome: 'in-use' });
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('old');
  });

  test('when a copy is used after it was chosen for an eviction', async () => {
    const { layout, path, now, signal } = await stagedNode();
    const evict = (unusedSince: Date) => evictCopy(layout, modelId, { storePath: '/nowhere', now, signal, unusedSince });
    expect(await evict(new Date(0))).toEqual({ outcome: 'used-since' });
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('old');
    expect(await evict(new Date(Date.now() + 3600_000))).toMatchObject({ outcome: 'evicted' });
    await expect(readFile(join(path, 'a'))).rejects.toThrow('ENOENT');
  });

  test('when a lease waits for an eviction', async () => {
    const { layout, signal, lease } = await stagedNode();
    let taking: ReturnType<typeof lease> | undefined;
    await behindGate(layout, signal, async () => {
      taking = lease();
      expect(await isPending(taking)).toBe(true);
      expect(await readdir(layout.leases).catch(() => [])).toEqual([]);
    });
    expect(await taking).toMatchObject({ lease: { model_id: 'org/m' } });
    expect((await readdir(layout.leases)).filter((name) => name.endsWith('.json'))).toHaveLength(1);
  });

  test('when a replacement waits for a new lease', async () => {
    const { node, layout, path, replace, signal, lease } = await stagedNode();
    const { lease: model } = await lease();
    const place = leasePath(layout, model.lease_id);
    const text = await readFile(place, 'utf8');
    await rm(place);
    await replace({ 'org/m': { a: 'new' } });
    let staging: Promise<unknown> | undefined;
    const work = incomingCopy(layout, modelId);
    await behindGate(layout, signal, async () => {
      staging = node.stage('org/m').catch((error: unknown) => error);
      // It has checked the leases before it fetches data; its last step before the gate is writing the record.
      await until('the new copy to be built', () => existsSync(join(work.files, copyRecordName)));
      expect(await isPending(staging)).toBe(true);
      await writeFile(place, text);
    });
    expect(await staging).toMatchObject({ code: 'CONFLICT' });
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('old');
    // Received data is kept for the next try.
    expect(await readdir(layout.incoming)).toEqual(['org--m']);
  });
});
