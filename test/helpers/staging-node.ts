import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConfigFile } from '../../src/core/config/schema.ts';
import type { Deps } from '../../src/core/connect/deps.ts';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { type StageRequest, stageModels } from '../../src/core/operations/stage/stage.ts';
import type { StagedModel, StageReport } from '../../src/core/operations/stage/stage-report.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { directoryStore, type Models } from './directory-store.ts';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';
import { temporaryDirectory } from './temp-directory.ts';
import { type TestWorld, testConfig, testDeps, testWorld } from './world.ts';

/** A store's server in this process; it ends with the test. */
export async function serveModels(models: Models) {
  const store = await directoryStore(models);
  const app = await createStoreApp({ store, version: '1', logLevel: 'silent', limits: {} });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  const stop = async (): Promise<void> => void (await stopApp(app, { graceMs: 10 }));
  onTestFinished(async () => {
    await stop();
    await store[Symbol.asyncDispose]();
  });
  return { url, store, stop };
}

/** A store behind a proxy that the test controls. */
export async function serveThroughProxy(
  models: Models,
): Promise<{ readonly proxy: FaultProxy; readonly replace: (models: Models) => Promise<void> } & Awaited<ReturnType<typeof serveModels>>> {
  const served = await serveModels(models);
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { ...served, proxy, replace: async (next) => proxy.setTarget((await serveModels(next)).url) };
}

/** A node of the test. */
export interface StagingNode {
  readonly deps: Deps;
  readonly world: TestWorld;
  readonly home: string;
  readonly root: string;
  /** Stages models; gives the only copy if there is one model. */
  stage(ref: string, options?: Partial<StageRequest>): Promise<StagedModel>;
  request(refs: readonly string[], options?: Partial<StageRequest>): ReturnType<typeof stageModels>;
}

/** A node whose store is at a URL; all of its files are in a directory of the test. */
export async function stagingNode(
  url: string | undefined,
  {
    content = {},
    env = {},
    home,
    signal,
  }: { content?: ConfigFile; env?: Record<string, string>; home?: string; signal?: AbortSignal } = {},
): Promise<StagingNode> {
  const place = home ?? (await temporaryDirectory());
  const world = testWorld(place, {
    env: { ...(url !== undefined && { SKULK_STORE: url }), ...env },
    ...(signal !== undefined && { signal }),
  });
  const deps: Deps = testDeps(world, testConfig(world, { content }));
  const request: StagingNode['request'] = (refs, options) =>
    stageModels(deps, { refs: refs.map(parseModelRef), dryRun: false, force: false, offline: false, ...options });
  return {
    deps,
    world,
    home: place,
    root: deps.config.settings.nodeCachePath.value,
    request,
    stage: async (ref, options) => {
      const [staged] = ((await request([ref], options)) as StageReport).staged;
      if (staged === undefined) throw new Error('nothing was staged');
      return staged;
    },
  };
}

/** The directory of the copy of `org/name` on a node. */
export const copyOf = (node: StagingNode, id: string): string => join(node.root, id.replace('/', '--'));
