import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { pageLink } from '../helpers/page-link.ts';
import { ask, outcomeOf } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';

const pieces = [noise(3 * 1024 * 1024, 1), noise(1024 * 1024, 2)];

/** Announces a model of two files like another machine, and sends the first pieces. */
async function begin(url: string, modelId: string, { sent, token }: { readonly sent: number; readonly token?: string }) {
  const files = pieces.map((bytes, index) => ({ path: `f${index}`, size: bytes.length, sha256: sha256(bytes) }));
  const manifest = makeManifest(modelId as ModelId, files as never, { source: 'add', createdAt: new Date() });
  const headers = { ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  const path = `/uploads/${encodeURIComponent(modelId)}`;
  const announced = await ask(url, path, {
    method: 'PUT',
    body: JSON.stringify(manifest),
    headers: { ...headers, 'Content-Type': 'application/json' },
  });
  expect(announced.status, announced.body.toString()).toBe(200);
  const { upload } = announced.json() as { upload: string };
  const send = async (file: number): Promise<void> => {
    const put = await ask(url, `${path}/${manifest.digest}/${file}/0`, {
      method: 'PUT',
      body: pieces[file] ?? Buffer.alloc(0),
      headers: { ...headers, 'Content-Type': 'application/octet-stream' },
    });
    expect(put.status, put.body.toString()).toBe(204);
  };
  for (let file = 0; file < sent; file += 1) await send(file);
  return { upload, send, complete: () => ask(url, `${path}/${manifest.digest}/complete`, { method: 'POST', headers }) };
}

test(
  'unfinished uploads are shown at once with their sender, and an admin cancels each, others only with the id that its sender has',
  wants('chromium'),
  async () => {
    const world = await fleetWorld();
    const host = await world.hostInProcess();
    const made = await world.host('token', 'create', 'laptop', '--role', 'node');
    const { page, newTab } = await openBrowser();
    await page.goto(host.apiUrl);
    await page.getByRole('heading', { name: 'Store', level: 1 }).waitFor();
    const section = page.getByRole('region', { name: 'Unfinished uploads' });
    expect(await section.count()).toBe(0);

    // The page is not reloaded.
    const first = await begin(host.url, 'org/first', { sent: 1, token: made.stdout.trim() });
    const row = section.getByRole('listitem').filter({ hasText: 'org/first' });
    await row.getByText('75 % of 4.00 MiB').waitFor();
    await row.getByText('by laptop, from 127.0.0.1').waitFor();
    await row.getByText(/began just now, last byte just now/).waitFor();
    await begin(host.url, 'org/second', { sent: 0 });
    await section.getByRole('listitem').filter({ hasText: 'org/second' }).getByText('0 % of 4.00 MiB').waitFor();

    // Without the key of the host, only the id from the sender proves whose upload it is.
    const third = await begin(host.url, 'org/third', { sent: 1 });
    await section.getByRole('button', { name: 'Cancel the upload of org/third' }).click();
    const own = page.getByRole('dialog', { name: 'Cancel the upload of org/third?' });
    await own.getByText(`run “skulk key” on ${hostname()} and open the link it prints`).waitFor();
    const go = own.getByRole('button', { name: 'Cancel the upload', exact: true });
    expect(await go.isDisabled()).toBe(true);
    const [listed] = ((await ask(host.apiUrl, '/store/uploads')).json() as { uploads: { id: string; model_id: string }[] }).uploads.filter(
      ({ model_id }) => model_id === 'org/third',
    );
    await own.getByLabel('Id of the upload').fill(listed?.id ?? '');
    await go.click();
    await own.getByText('only an admin may cancel an upload by the ID of the list').waitFor();
    await own.getByLabel('Id of the upload').fill(first.upload);
    await go.click();
    await own.getByText('that id belongs to an upload of org/first, so nothing was cancelled').waitFor();
    await own.getByLabel('Id of the upload').fill(third.upload);
    await go.click();
    await page.getByText('The upload of org/third was cancelled, 3.00 MiB freed.').waitFor();
    await section.getByText('org/third').waitFor({ state: 'detached' });

    const admin = await newTab();
    await admin.goto(await pageLink(host));
    await admin.getByRole('button', { name: 'Cancel the upload of org/second' }).click();
    const dialog = admin.getByRole('dialog', { name: 'Cancel the upload of org/second?' });
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await world.host('uploads')).stdout).toContain('org/second');
    await admin.getByRole('button', { name: 'Cancel the upload of org/second' }).click();
    await dialog.getByRole('button', { name: 'Cancel the upload', exact: true }).click();
    await admin.getByText('The upload of org/second was cancelled, 0 B freed.').waitFor();
    await page.bringToFront();
    await section.getByText('org/second').waitFor({ state: 'detached' });
    expect((await world.host('uploads')).stdout).not.toContain('org/second');

    // A complete upload is a model, and not an upload any more.
    await first.send(1);
    expect(await outcomeOf(await first.complete())).toMatchObject({ entry: { model_id: 'org/first' } });
    await section.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'org/first' }).waitFor();
    expect(await world.canonical()).toEqual(['org--first']);
  },
);

test('a node shows the uploads of its store, and its own key cancels none without its id', wants('chromium'), async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  await begin(host.url, 'org/one', { sent: 1 });
  const node = await world.nodeInProcess('n1', host.url);
  const { page } = await openBrowser();
  await page.goto(await pageLink({ apiUrl: node.apiUrl, home: join(world.home, 'n1') }));
  await page.getByRole('button', { name: 'Access: Admin', exact: true }).waitFor();
  const cancel = page.getByRole('button', { name: 'Cancel the upload of org/one' });
  await cancel.click();
  expect(await page.getByRole('button', { name: 'Cancel the upload', exact: true }).isDisabled()).toBe(true);
  await page.getByText(`run “skulk key” on ${hostname()}`).waitFor();
});
