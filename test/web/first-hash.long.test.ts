import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

// A large model is still being hashed when the page appears.
test(
  'the page of a model that is hashed for the first time has no digest yet, and shows it later without a reload',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    // Another program left this: a directory and an entry.
    const store = join(world.home, 'host/store');
    await mkdir(join(store, 'org--big'));
    const file = await open(join(store, 'org--big/a.safetensors'), 'w');
    await file.truncate(4 * 1024 ** 3);
    await file.close();
    const entry = { model_id: 'org/big', store_path: 'org--big', files: ['a.safetensors'], downloaded_at: '2026-01-01T00:00:00Z' };
    await writeFile(
      join(store, 'registry.json'),
      JSON.stringify({ 'org/big': { ...entry, total_bytes: 4 * 1024 ** 3, repo_has_projector: null } }),
    );
    const host = await world.serveHost();
    const { page } = await openBrowser();
    await page.goto(`${host.apiUrl}/org/big`);
    await page.getByText('being computed; nodes can stage the model afterwards').waitFor();
    await page.getByText(/^sha256:[0-9a-f]{12}…$/).waitFor();
  },
);
