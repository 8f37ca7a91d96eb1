import { describe, expect, test } from 'vitest';
import { createHubFetch } from '../../src/core/sources/hub/hub-fetch.ts';

const token = 'hf_only_for_the_hub';

/** Requests a file of a Hub that answers each URL from `answers`. @returns the tokens that each host got */
async function askHub(
  answers: Readonly<Record<string, string>>,
): Promise<{ readonly shown: readonly (readonly [string, string | undefined])[]; readonly failure: unknown }> {
  const shown: (readonly [string, string | undefined])[] = [];
  const { fetch, failure } = createHubFetch({
    fetch: async (url, { headers }) => {
      shown.push([url.href, headers['Authorization']]);
      const location = answers[url.href];
      return location === undefined ? new Response('bytes') : new Response(null, { status: 302, headers: { Location: location } });
    },
    endpoint: 'https://hub.example',
    token,
    userAgent: 'skulk/test',
    signal: new AbortController().signal,
    silenceMs: 60_000,
    asked: { path: 'a', modelId: 'org/m' } as never,
    maxJsonBytes: 1024,
    maxRequests: 100,
  });
  await fetch('https://hub.example/a').then(
    (response) => response.text(),
    () => undefined,
  );
  return { shown, failure: failure() };
}

describe('the Hugging Face token', () => {
  test.each([
    ['another host', 'https://cdn.example/a'],
    ['another port of the same host', 'https://hub.example:8443/a'],
    ['a host below it', 'https://cdn.hub.example/a'],
    ['a host that only begins like it', 'https://hub.example.evil.example/a'],
    ['a host without a scheme', '//cdn.example/a'],
  ])('is not sent when a redirect leads to %s', async (_, location) => {
    const { shown } = await askHub({ 'https://hub.example/a': location });
    expect(shown).toHaveLength(2);
    expect(shown.map(([, authorization]) => authorization)).toEqual([`Bearer ${token}`, undefined]);
  });

  test('is sent to another path of the Hub, and again after a redirect leads back', async () => {
    const within = await askHub({ 'https://hub.example/a': '/b' });
    expect(within.shown.at(-1)).toEqual(['https://hub.example/b', `Bearer ${token}`]);
    const back = await askHub({ 'https://hub.example/a': 'https://cdn.example/a', 'https://cdn.example/a': 'https://hub.example/c' });
    expect(back.shown.map(([, authorization]) => authorization !== undefined)).toEqual([true, false, true]);
  });

  test('changes nothing of an address that looks like it', async () => {
    const { shown } = await askHub({
      'https://hub.example/a': '/org/hf_quantized123/a?name=hf_quantized123',
      'https://hub.example/org/hf_quantized123/a?name=hf_quantized123': `https://cdn.example/${token}/a`,
    });
    expect(shown.map(([url]) => url).slice(1)).toEqual([
      'https://hub.example/org/hf_quantized123/a?name=hf_quantized123',
      `https://cdn.example/${token}/a`,
    ]);
  });

  test.each(['https://hub.example@evil.example/a', 'https://user:secret@hub.example/a'])(
    'is not sent when a redirect has a user in it, as in %s, and no message shows that user',
    async (location) => {
      const { shown, failure } = await askHub({ 'https://hub.example/a': location });
      expect(shown).toHaveLength(1);
      expect(failure).toMatchObject({ code: 'HUB_REFUSED', message: 'https://hub.example redirects to an unsafe address' });
    },
  );

  test('is sent only over TLS', async () => {
    const { shown, failure } = await askHub({ 'https://hub.example/a': 'http://hub.example/a' });
    expect(shown).toHaveLength(1);
    expect(failure).toMatchObject({ code: 'HUB_REFUSED' });
  });
});
