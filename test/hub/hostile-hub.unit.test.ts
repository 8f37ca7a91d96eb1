import { describe, expect, test } from 'vitest';
import { pause } from '../../src/core/kernel/flow/backoff.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createHub } from '../../src/core/sources/hub/hub.ts';

const endpoint = 'http://mirror.lan';
const token = 'hf_SecretOfTheOwner123456789';
const commit = 'c'.repeat(40);
const file = { type: 'file', path: 'config.json', size: 2, oid: 'a'.repeat(40) };
const json = (value: unknown, headers: Record<string, string> = {}): Response =>
  new Response(typeof value === 'string' ? value : JSON.stringify(value), { headers: { 'content-type': 'application/json', ...headers } });

/** Lists a model of a Hub whose requests for the model, and for its files, get these answers. */
async function list(
  answers: { readonly info?: () => Response; readonly tree?: (url: URL, signal: AbortSignal) => Response },
  silenceMs = 30_000,
) {
  let requests = 0;
  const hub = createHub({
    endpoint,
    token,
    userAgent: 'skulk/test',
    silenceMs,
    fetch: async (url, { signal }) => {
      requests += 1;
      if (url.pathname.includes('/revision/')) return answers.info?.() ?? json({ sha: commit, id: 'org/m' });
      return answers.tree?.(url, signal) ?? json([file]);
    },
  });
  const asked = hub.list({ modelId: parseModelId('org/m'), revision: 'main' }, new AbortController().signal);
  const ended = await asked.then(
    (listing) => ({ listing, message: '' }),
    (error) => ({ listing: undefined, message: `${error.code}: ${error.message}` }),
  );
  return { ...ended, requests };
}

/** An answer that never ends. */
const endless = (type: string, piece: string, { ms, signal }: { ms: number; signal: AbortSignal }): Response => {
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      await pause(ms, signal);
      controller.enqueue(Buffer.from(piece));
    },
  });
  return new Response(body, { headers: { 'content-type': type } });
};

describe('a hostile Hub', () => {
  test.each([
    ['of empty pages', []],
    ['of directories', [{ ...file, type: 'directory' }]],
  ])('cannot hold a download with an endless list %s', async (_, page) => {
    const { message, requests } = await list({ tree: (url) => json(page, { link: `<${url.href}>; rel="next"` }) });
    expect(message).toBe(`HUB_REFUSED: ${endpoint} has a list of more than 10000 pages`);
    expect(requests).toBe(10_001);
  });

  test('cannot hold a download with an answer that comes byte by byte', async () => {
    const { message } = await list({ tree: (_, signal) => endless('application/json', ' ', { ms: 5, signal }) }, 20);
    expect(message).toMatch(
      /^HUB_UNREACHABLE: (http:\/\/mirror\.lan has not finished its answer after 0\.4 s|.* sent nothing for 0\.02 s)$/,
    );
  });

  test.each(['text/plain', 'Application/JSON', 'application/json'])(
    'cannot fill the memory with an answer of the type %s',
    async (type) => {
      const { message } = await list({ tree: (_, signal) => endless(type, '[1,'.repeat(400_000), { ms: 0, signal }) });
      expect(message).toBe(`HUB_REFUSED: ${endpoint} answered with more than 67108864 bytes`);
    },
  );

  test('cannot stop a download with deeply nested data of a model', async () => {
    const deep = `{"sha":"${commit}","cardData":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    const { listing, message } = await list({ info: () => json(deep) });
    expect(message).toBe('');
    expect(listing?.files).toHaveLength(1);
    expect(listing?.about?.cardData).toBeUndefined();
  });

  test.each([
    ['an error', (text: string) => new Response(null, { status: 403, headers: { 'x-error-message': `bad Bearer ${text}` } })],
    ['a refusal of the token', (text: string) => new Response(null, { status: 401, headers: { 'x-error-message': text } })],
    ['a coding', (text: string) => json([], { 'content-encoding': text })],
    ['the host of a redirect', (text: string) => new Response(null, { status: 302, headers: { location: `http://${text}.invalid/` } })],
    ['an answer that is not JSON', (text: string) => json(text)],
    ['a short answer that is not JSON', (text: string) => json(text.slice(0, 12))],
    ['a path', (text: string) => json([{ ...file, path: `../${text}` }])],
  ])('that sends the token back in %s does not make it appear in the error', async (_, tree) => {
    const { message } = await list({ tree: () => tree(token) }, 20);
    expect(message).toMatch(/^HUB_/);
    expect(message.toLowerCase()).not.toContain(token.slice(0, 8).toLowerCase());
  });

  test.each([
    ['null'],
    ['[null]'],
    ['7'],
    ['[{"type":"file","path":{"a":1}}]'],
    ['[{"type":"file","path":"a","lfs":{"oid":7,"size":2}}]'],
    ['{"a":1}'],
    ['<'],
  ])('that lists %s gets a sentence without words of the engine', async (body) => {
    const { message } = await list({ tree: () => json(body) });
    expect(message).toBe(`HUB_REFUSED: the answer of ${endpoint} cannot be used: it is not the expected JSON`);
  });
});
