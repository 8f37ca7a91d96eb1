import { expect, test } from 'vitest';
import { faultFinderOf } from '../../src/core/kernel/validate.ts';

const findFault = faultFinderOf({
  type: 'object',
  required: ['hostname'],
  properties: { hostname: { type: 'string' }, revision: { anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] } },
});

test.each([
  [{ hostname: 'kite', revision: null }, undefined],
  [{ revision: 'main' }, 'hostname is missing'],
  [{ hostname: 'kite', revision: 'too long' }, 'revision must have at most 5 characters or must be null'],
])('the fault of %j is %s', (body, fault) => {
  expect(findFault(body)).toBe(fault);
});
