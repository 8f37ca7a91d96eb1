import { expect, test } from 'vitest';
import { isTransient } from '../../src/core/client/http/transient.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'ERR_STREAM_PREMATURE_CLOSE'])(
  'after %s another try may help',
  (code) => {
    expect(isTransient(failure(code))).toBe(true);
  },
);

test.each([
  [new SkulkError('STORE_UNREACHABLE', 'x'), true],
  [new SkulkError('STORE_BUSY', 'x'), true],
  [new SkulkError('INTEGRITY', 'x'), false],
  [new SkulkError('MODEL_NOT_FOUND', 'x'), false],
  [failure('ENOSPC'), false],
  [failure('EACCES'), false],
  [new Error('a bug'), false],
  ['text', false],
  [undefined, false],
])('%s: %s', (error, may) => {
  expect(isTransient(error)).toBe(may);
});
