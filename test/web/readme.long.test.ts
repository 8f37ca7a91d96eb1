import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from '../helpers/raw-http.ts';
import { wants } from '../helpers/wants.ts';
import { openBrowser } from './browser.ts';
import { looksWell, modelStore } from './model-store.ts';

const { shared, addModel } = modelStore();

/** A picture of one pixel. */
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** Another machine, which counts the requests to it. */
async function elsewhere(): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('a README is shown with its pictures, tables and links', wants('chromium'), async () => {
  const { host } = shared();
  await addModel('me/told', {
    'config.json': '{}',
    'fig/one.png': pixel,
    'README.md': `---\nlicense: mit\ntags: [a]\n---\n# Foo\n\nSee [the usage](#how-to-use-it), or [its base](https://example.org/base).\n\n## How to use it!\n\n| size | ${'a long head '.repeat(20)}|\n|-|-|\n| 4 | b |\n\n\`\`\`sh\nrun ${'it '.repeat(80)}\n\`\`\`\n\n![a figure](fig/one.png) ![a badge](https://shields.example/x.svg)\n`,
  });
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/me/told`);
  const readme = page.getByRole('region', { name: 'README' });
  await readme.getByRole('heading', { level: 3, name: 'Foo' }).waitFor();
  expect(await readme.innerText()).not.toMatch(/license/);
  await expect
    .poll(() =>
      readme.getByRole('img', { name: 'a figure' }).evaluate((picture) => (picture as unknown as { naturalWidth: number }).naturalWidth),
    )
    .toBe(1);
  expect(await readme.getByText('a badge').getAttribute('class')).toBe('picture-left-out');
  expect(await readme.getByRole('link', { name: 'its base' }).getAttribute('rel')).toBe('noopener noreferrer nofollow');
  // A link in the hidden part that gets the focus is shown.
  await readme.getByRole('button', { name: /^Read all/ }).waitFor();
  await readme.getByRole('link', { name: 'the usage' }).focus();
  await readme.getByRole('button', { name: /^Show less/ }).waitFor();
  await readme.getByRole('link', { name: 'the usage' }).click();
  expect(await page.evaluate('document.querySelector(":target").textContent')).toBe('How to use it!');
  await looksWell(page);
});

test('a hostile README has no effect', wants('chromium'), async () => {
  const { host } = shared();
  const other = await elsewhere();
  const evil = 'document.title="pwned"';
  const lines = [
    `<script>${evil}</script><script src="${other.url}/script"></script>`,
    `<img src="${other.url}/pixel.png" onerror='${evil}'><img src=x onerror='${evil}'><img srcset="${other.url}/srcset 1x" src="fig/no.png">`,
    `![a](${other.url}/markdown.png) ![b](//${new URL(other.url).host}/scheme.png) ![c](/config) ![d](..%2f..%2fconfig) ![e](evil.svg)`,
    `<picture><source srcset="${other.url}/source"><img src="data:image/svg+xml,<svg onload='${evil}'/>"></picture>`,
    `[js](javascript:${evil}) [js2](JaVa&#10;Script:${evil}) <a href="&#106;avascript:${evil}">js3</a> <a href="data:text/html,<script>${evil}</script>">js4</a> [vb](vbscript:x) [html](evil.html) [up](../../../settings)`,
    `<iframe src="${other.url}/frame"></iframe><iframe srcdoc="<script>top.${evil}</script>"></iframe><object data="${other.url}/object"></object><embed src="${other.url}/embed">`,
    `<meta http-equiv="refresh" content="0;url=${other.url}/refresh"><base href="${other.url}/base/"><link rel="stylesheet" href="${other.url}/style">`,
    `<svg onload='${evil}'><image href="${other.url}/svg" /><foreignObject><body onload='${evil}'></body></foreignObject></svg><math><mtext><script>${evil}</script></mtext></math>`,
    `<style>@import url(${other.url}/import); body { display: none }</style><div style="position:fixed;inset:0;background:url(${other.url}/inline)" class="top" id="page">over</div>`,
    `<form action="${other.url}/form"><input name="token" autofocus onfocus='${evil}'><button>Send the key</button></form><video src="${other.url}/video" autoplay></video><audio src="${other.url}/audio"></audio>`,
    `<noscript><p title="</noscript><img src=x onerror='${evil}'>"></noscript><template><script>${evil}</script></template><textarea><img src=x onerror='${evil}'></textarea>`,
    `<a href="https://example.org" ping="${other.url}/ping" target="_self" onclick='${evil}'>out</a><p tabindex="1" contenteditable accesskey="x">text</p>`,
  ];
  await addModel('me/evil', {
    'README.md': `${lines.join('\n\n')}\n\nthe end of it\n`,
    'evil.svg': `<svg xmlns="http://www.w3.org/2000/svg"><script>${evil}</script></svg>`,
    'evil.html': `<script>${evil}</script>`,
  });
  const { page, complaints } = await openBrowser();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`${host.apiUrl}/me/evil`);
  const readme = page.getByRole('region', { name: 'README' });
  await readme.getByText('the end of it').waitFor();
  const left = await readme.locator('.excerpt').evaluate((box) => {
    const all = (
      box as unknown as { querySelectorAll(what: string): Iterable<{ localName: string; getAttributeNames(): string[] }> }
    ).querySelectorAll('*');
    return [...all].flatMap((one) => [one.localName, ...one.getAttributeNames().map((name) => `${one.localName} ${name}`)]);
  });
  const found = [...new Set(left)];
  expect(
    found.filter((one) =>
      /^(script|iframe|object|embed|meta|base|link|svg|math|style|form|input|button|video|audio|template|textarea|source|picture|img)/.test(
        one,
      ),
    ),
  ).toEqual([]);
  expect(found.filter((one) => / (on\w+|style|srcset|src|ping|action|tabindex|contenteditable|accesskey)$/.test(one))).toEqual([]);
  const targets = await Promise.all((await readme.locator('a[href]').all()).map((link) => link.getAttribute('href')));
  expect(targets).toEqual(['https://example.org']);
  expect(await page.title()).toBe('me/evil · skulk');
  expect(other.asked).toEqual([]);
  // While it is cleaned it is in a document without scripts and loading; the page's policy applies to that one too, and reports it.
  for (const complaint of complaints.splice(0)) expect(complaint).toMatch(/violates the following Content Security Policy directive/);
  expect(requests.filter((url) => !url.startsWith(host.apiUrl))).toEqual([]);
  expect(requests.filter((url) => !url.includes('/assets/') && /config|\.svg|\.html/.test(url))).toEqual([]);
  // Such files are not pages of this server when they are opened.
  for (const path of ['evil.html', 'evil.svg']) {
    const { headers } = await ask(host.apiUrl, `/me/evil/resolve/main/${path}`, { headers: { Accept: 'text/html' } });
    expect([path, String(headers['content-type'])]).toEqual([path, expect.not.stringMatching(/html|svg|xml/)]);
  }
  await looksWell(page);
});

test('a README that is huge, or deeply nested, is shown in part and does not block the page', wants('chromium'), async () => {
  const { host } = shared();
  await addModel('me/long', { 'README.md': `# begins\n\n${'word '.repeat(400_000)}\n\nthe end of it` });
  await addModel('me/deep', { 'README.md': `begins\n\n${'<div>'.repeat(30_000)}${'> '.repeat(30_000)}${'['.repeat(30_000)}` });
  const { page } = await openBrowser();
  await page.goto(`${host.apiUrl}/me/long`);
  await page.getByText(/too long to be shown whole \(1\.91 MiB\)/).waitFor();
  expect(await page.getByText('the end of it').count()).toBe(0);
  // Its beginning leaves the files in reach.
  const height = (): Promise<number> =>
    page.locator('.excerpt').evaluate((one) => (one as unknown as { offsetHeight: number }).offsetHeight);
  await page.getByRole('button', { name: 'Read all of README.md' }).waitFor();
  expect(await height()).toBe(210);
  await page.getByRole('button', { name: 'Read all of README.md' }).click();
  await page.getByRole('button', { name: 'Show less of README.md', expanded: true }).waitFor();
  expect(await height()).toBeGreaterThan(1000);
  await page.goto(`${host.apiUrl}/me/deep`);
  await page
    .getByRole('region', { name: 'README' })
    .getByText(/^begins/)
    .waitFor();
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.getByRole('tab', { name: 'curl', selected: true }).waitFor();
});
