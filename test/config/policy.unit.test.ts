import { describe, expect, test } from 'vitest';
import { changePolicyText, defaultPolicy, parsePolicy, parsePolicyValue } from '../../src/core/config/policy.ts';

const path = '/store/.skulk/v1/policy.yaml';

describe('a policy', () => {
  test('that is empty has the defaults', async () => {
    expect(await parsePolicy('', path)).toEqual({ policy: defaultPolicy, given: [] });
  });

  test.each([
    ['an unknown key', 'lann: read', 'lann'],
    ['an unknown limit', 'limits:\n  open_upload: 3', 'open_upload'],
    ['an unknown key of the Hub', 'hub:\n  nothing: 1', 'nothing'],
    ['an unknown key of swarms', 'swarm:\n  nothing: 1', 'nothing'],
    ['a role that the LAN cannot have', 'lan: admin', 'lan'],
    ['a limit below its minimum', 'limits:\n  open_uploads: 0', 'open_uploads'],
    ['a limit above its maximum', 'limits:\n  upload_idle_days: 366', 'upload_idle_days'],
    ['a fraction', 'limits:\n  open_uploads: 1.5', 'open_uploads'],
    ['a list in place of an object', 'limits: [1]', 'limits'],
    ['a text that is no host name', 'server_names: ["a b"]', 'server_names'],
  ])('with %s is refused, and the message names it', async (_, text, name) => {
    await expect(parsePolicy(text, path)).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining(name) });
  });

  test('keeps its comments and other keys when a value changes, and loses a key that is reset', async () => {
    const before = '# ours\nlan: read # closed\nlimits:\n  open_uploads: 3\n';
    const after = await changePolicyText(before, path, { lan: 'none', limits: { open_uploads: null, upload_idle_days: 9 } });
    expect(after).toContain('# ours');
    expect((await parsePolicy(after, path)).policy).toMatchObject({
      lan: 'none',
      limits: { ...defaultPolicy.limits, uploadIdleDays: 9 },
    });
    await expect(changePolicyText(before, path, { lan: 'all' })).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

test.each([
  ['lan', 'read', 'read'],
  ['lan', 'default', null],
  ['limits.open_uploads', '12', 12],
  ['server_names', 'a.example, b.example,', ['a.example', 'b.example']],
  ['server_names', '[a.example]', ['a.example']],
])('the value of %s is read from %s', (key, text, value) => {
  expect(parsePolicyValue(key, text)).toEqual(value);
});
