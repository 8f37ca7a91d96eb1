import { expect, test } from 'vitest';
import { failureOf } from '../../src/core/jobs/job-state.ts';
import { answerError } from '../../src/core/server/app/error-body.ts';

const notFound = (url: URL): Error => Object.assign(new Error('Cannot find module'), { code: 'ERR_MODULE_NOT_FOUND', url: url.href });
const replaced = notFound(new URL('../../dist/chunks/gone.js', import.meta.url));
const foreign = notFound(new URL('file:///else/dist/gone.js'));

test('a server whose program was replaced on the disk asks for a restart, and reports no bug', () => {
  const { status, body } = answerError(replaced);
  expect(status).toBe(500);
  expect(body).toEqual({
    detail: 'skulk was upgraded or rebuilt while this server runs',
    code: 'INTERNAL',
    hint: 'restart `skulk serve` on that machine: `skulk service restart`',
  });
  expect(failureOf(replaced)).toEqual({ message: body.detail, code: null, hint: body.hint });
});

test.each([foreign, new TypeError('secret')])('an unexpected error is answered without its details: %s', (error) => {
  expect(answerError(error)).toMatchObject({ status: 500, body: { detail: 'internal error in skulk', code: 'INTERNAL' } });
  expect(failureOf(error)).toMatchObject({ message: 'internal error in skulk', code: null });
});
