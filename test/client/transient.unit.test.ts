import { expect, test } from 'vitest';
import { isTransient } from '../../src/core/client/http/transient.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'ERR_STREAM_PREMATURE_CLOSE'])(
  'after %s another try is possible',
  (code) => {
    expect(isTransient(failure(code))).toBe(true);
  },
);

const unreachable = (code: string): SkulkError => new SkulkError('STORE_UNREACHABLE', 'x', { cause: failure(code) });

test.each([
  ['STORE_UNREACHABLE', new SkulkError('STORE_UNREACHABLE', 'x'), true],
  ['STORE_UNREACHABLE for a refused connection', unreachable('ECONNREFUSED'), true],
  ['STORE_UNREACHABLE for a certificate of its own', unreachable('DEPTH_ZERO_SELF_SIGNED_CERT'), false],
  ['STORE_UNREACHABLE for a certificate that is over', unreachable('CERT_HAS_EXPIRED'), false],
  ['STORE_BUSY', new SkulkError('STORE_BUSY', 'x'), true],
  ['INTEGRITY', new SkulkError('INTEGRITY', 'x'), false],
  ['MODEL_NOT_FOUND', new SkulkError('MODEL_NOT_FOUND', 'x'), false],
  ['a full disk', failure('ENOSPC'), false],
  ['a missing right', failure('EACCES'), false],
  ['a bug', new Error('a bug'), false],
  ['a text', 'text', false],
  ['nothing', undefined, false],
])('after %s the decision about another try is as expected', (_, error, may) => {
  expect(isTransient(error)).toBe(may);
});
