import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { type FleetWorld, fleetWorld } from '../helpers/fleet-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import type { Served } from '../helpers/spawn-skulk.ts';
import { findViolations } from './accessibility.ts';

/** A store host for the tests of a file, which add models to it. */
export function modelStore(): {
  readonly shared: () => { readonly world: FleetWorld; readonly host: Served };
  readonly addModel: (modelId: string, files: Parameters<typeof writeFiles>[1]) => Promise<void>;
} {
  const shared = forWholeFile(async () => {
    const world = await fleetWorld();
    return { world, host: await world.serveHost() };
  });
  return {
    shared,
    addModel: async (modelId, files) => {
      const { world } = shared();
      const source = join(world.home, modelId.replace('/', '--'));
      await writeFiles(source, files);
      expect(await world.host('add', source, '--as', modelId)).toMatchObject({ status: 0 });
    },
  };
}

/** Checks that the page fits on a phone and on a desktop, and that it is accessible. */
export async function looksWell(page: Page): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, width]);
  }
  expect(await findViolations(page)).toEqual([]);
}
