import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { mapHubRefusal } from '../../src/core/sources/hub/map-failure.ts';

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
  [404, { 'x-error-code': 'EntryNotFound' }, {}, 'FILE_NOT_FOUND', 'no file "a b.gguf" at v9', 'its page'],
  [401, {}, { hasToken: true }, 'HUB_REFUSED', 'does not accept the token', 'create a new one'],
  [401, {}, {}, 'MODEL_NOT_FOUND', 'misspelt, or the model private', 'for a private model set HF_TOKEN'],
  // The Hub says 401 of a model that the token cannot see, and names the model, not the token, as the reason.
  [401, { 'x-error-code': 'RepoNotFound' }, { hasToken: true }, 'MODEL_NOT_FOUND', 'that this token can access', 'the rights of the token'],
  [404, {}, { hasToken: true }, 'MODEL_NOT_FOUND', 'that this token can access', 'the rights of the token'],
  [418, { 'x-error-message': 'a teapot' }, {}, 'HUB_REFUSED', 'answered 418 for org/m: a teapot', 'its page'],
] as const)('the status %i with %j and %j is %s', (status, headers, more, code, message, hint) => {
  expect(told(status, headers, more)).toMatchObject({
    code,
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  });
});
