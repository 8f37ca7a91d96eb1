import { expect, test } from 'vitest';
import { withoutSent } from '../../web/parts/use-edits.ts';

test('a saved form keeps only what was typed after it was sent', () => {
  expect(withoutSent<Record<string, string>>({ limit: '10', name: 'kite3', lan: 'read' }, { limit: '1', name: 'kite3' })).toEqual({
    limit: '10',
    lan: 'read',
  });
  expect(withoutSent<Record<string, string>>({ limit: '1' }, { limit: '1' })).toEqual({});
});
