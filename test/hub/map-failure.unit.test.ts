import { expect, test } from 'vitest';
import { mapNetworkError } from '../../src/core/client/http/map-failure.ts';
import type { SkulkError } from '../../src/core/kernel/errors.ts';
import { describeFailure, reasonOf } from '../../src/core/kernel/explain-system-error.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { upstreamStore } from '../../src/core/sources/hub/hub-name.ts';
import { mapHubNetworkError, mapHubRefusal } from '../../src/core/sources/hub/map-failure.ts';

const origin = 'https://huggingface.co';
const told = (status: number, headers: Record<string, string> = {}, { hasToken = false, isOwnHost = true } = {}) => {
  const asked = { modelId: parseModelId('org/m'), revision: 'v9', path: 'a b.gguf', hasToken };
  const { code, message, hint, retryAfterMs } = mapHubRefusal({ status, headers: new Headers(headers), isOwnHost, origin }, asked);
  return { code, message, hint: hint ?? '', retryAfterMs };
};

test.each([
  [429, { 'retry-after': '7' }, {}, 'HUB_BUSY', 'retry after 7 s', 'HF_TOKEN'],
  [503, {}, {}, 'HUB_UNREACHABLE', 'answered 503', 'try again'],
  [403, {}, { isOwnHost: false }, 'HUB_UNREACHABLE', 'for bytes of org/m', 'try again'],
  [401, { 'x-error-code': 'GatedRepo' }, {}, 'HUB_REFUSED', 'org/m is gated on Hugging Face, and no token is set', 'then set HF_TOKEN'],
  [403, { 'x-error-code': 'GatedRepo' }, { hasToken: true }, 'HUB_REFUSED', "the token's account has no access", 'request access'],
  [404, { 'x-error-code': 'RevisionNotFound' }, {}, 'REVISION_NOT_FOUND', 'no revision "v9"', 'a branch'],
  [404, { 'x-error-code': 'EntryNotFound' }, {}, 'FILE_NOT_FOUND', 'no file "a b.gguf" at v9', 'the page of the model'],
  [401, {}, { hasToken: true }, 'HUB_REFUSED', 'does not accept the token', 'create a new one'],
  [401, {}, {}, 'MODEL_NOT_FOUND', 'misspelt, or the model private', 'for a private model set HF_TOKEN'],
  // The Hub says 401 of a model that the token cannot see, and names the model, not the token, as the reason.
  [401, { 'x-error-code': 'RepoNotFound' }, { hasToken: true }, 'MODEL_NOT_FOUND', 'that this token can access', 'the rights of the token'],
  [404, {}, { hasToken: true }, 'MODEL_NOT_FOUND', 'that this token can access', 'the rights of the token'],
  [418, { 'x-error-message': 'a teapot' }, {}, 'HUB_REFUSED', 'answered 418 for org/m: a teapot', 'the page of the model'],
] as const)('the status %i with %j and %j is %s', (status, headers, more, code, message, hint) => {
  expect(told(status, headers, more)).toMatchObject({
    code,
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  });
});

test.each([
  ['getaddrinfo EAI_AGAIN huggingface.co', 'EAI_AGAIN', 'no name server answers for this host name'],
  ['getaddrinfo ENOTFOUND huggingface.co', 'ENOTFOUND', 'unknown host name'],
  ['connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED', 'connection refused'],
  ['connect ETIMEDOUT 10.0.0.1:443', 'ETIMEDOUT', 'no answer from the host'],
  ['connect ENETUNREACH 10.0.0.1:443', 'ENETUNREACH', 'the network is unreachable'],
  // One attempt for each address of a name, all refused.
  ['', 'ECONNREFUSED', 'connection refused'],
])('the network failure "%s" is reported in words, by the Hub and by a store', (text, code, words) => {
  const error = Object.assign(new Error(text), { code });
  expect(mapHubNetworkError(error, origin)).toMatchObject({
    message: `cannot reach https://huggingface.co: ${words}`,
    hint: expect.stringContaining(/name/.test(words) ? 'the DNS settings' : 'the internet connection'),
  });
  expect(mapNetworkError(error, 'http://kite:58080')).toMatchObject({ message: `cannot reach the store at http://kite:58080: ${words}` });
  expect([reasonOf(error), describeFailure('cannot announce', error)]).toEqual([words, `cannot announce: ${words}`]);
});

test('the reason of an upstream store is passed on, cut and without control characters', () => {
  const says = `this store is offline; unset HF_HUB_OFFLINE\u009B ${'x'.repeat(1000)}`;
  const error = mapHubRefusal(
    { status: 503, headers: new Headers({ 'x-error-message': says }), isOwnHost: true, origin: 'http://10.0.0.1:58080' },
    { modelId: parseModelId('me/nope'), revision: 'main', hasToken: false, of: upstreamStore },
  );
  expect(error.code).toBe('HUB_UNREACHABLE');
  expect(error.message).toMatch(
    /^the upstream store \(http:\/\/10\.0\.0\.1:58080\) answered 503: this store is offline; unset HF_HUB_OFFLINE\uFFFD x+$/,
  );
  expect(error.message.length).toBeLessThan(400);
  expect(error.hint).not.toContain('probably temporary');
});

test('a store that cannot be reached at an address without a port is looked for at port 58080 next', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(mapNetworkError(refused, 'http://192.168.77.11')).toMatchObject({
    hint: expect.stringContaining('try http://192.168.77.11:58080'),
  });
  for (const url of ['http://192.168.77.11:58081', 'https://kite.lan'])
    expect(mapNetworkError(refused, url), url).toMatchObject({ hint: expect.not.stringContaining('58080') });
});

test('a store whose port refuses the connection may have another one, which skulk discover finds', () => {
  const hintOf = (code: string, url: string) => (mapNetworkError(Object.assign(new Error('connect'), { code }), url) as SkulkError).hint;
  expect(hintOf('ECONNREFUSED', 'http://kite.lan:58081')).toContain('`skulk discover` lists the stores that answer');
  expect(hintOf('ECONNREFUSED', 'http://kite.lan:58080')).not.toContain('discover');
  expect(hintOf('EHOSTUNREACH', 'http://kite.lan:58081')).not.toContain('discover');
});
