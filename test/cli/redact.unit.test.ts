import { expect, test } from 'vitest';
import { redact } from '../../src/cli/redact.ts';

test.each([
  ['a secret as it is', 'sent pass/word+1 to kite3', 'sent *** to kite3'],
  ['a secret in a URL', 'http://me:pass%2Fword%2B1@kite3/ failed', 'http://me:***@kite3/ failed'],
  ['each of several', 'pass/word+1 and other-one, pass/word+1', '*** and ***, ***'],
  ['a Hugging Face token that no setting has', 'Bearer hf_AbCdEf123', 'Bearer hf_***'],
])('a printed text hides %s', (_, text, shown) => {
  expect(redact(text, ['pass/word+1', undefined, 'other-one'])).toBe(shown);
});

test('a secret of one or two letters does not change a printed text', () => {
  expect(redact('a model at ab', ['a', 'ab'])).toBe('a model at ab');
});
