import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { fitBar } from '../../src/cli/render/fit-bar.ts';

const parts = {
  label: 'downloading mlx-community/Qwen3-Coder-480B-A35B-Instruct-4bit',
  done: 0.4249,
  amount: '106 GiB of 251 GiB',
  rate: '112 MiB/s',
  left: '12 min 05 s left',
};

test.each([
  [
    200,
    'downloading mlx-community/Qwen3-Coder-480B-A35B-Instruct-4bit [==========--------------] 42% 106 GiB of 251 GiB, 112 MiB/s, 12 min 05 s left',
  ],
  [80, 'downloading mlx-c…5B-Instruct-4bit [====------] 42% 112 MiB/s, 12 min 05 s left'],
  [60, 'downloading m…Instruct-4bit 42% 112 MiB/s, 12 min 05 s left'],
  [40, 'downloa… 42% 112 MiB/s, 12 min 05 s left'],
])('a progress line at %i columns keeps the rate and the time left', (columns, expected) => {
  expect(fitBar(parts, columns)).toBe(expected);
});

test('a progress line fits every terminal of 45 columns or more, also with wide characters', () => {
  for (let columns = 45; columns < 200; columns += 1)
    for (const label of [parts.label, '下载 模型/模型模型模型模型模型模型模型', 'a']) {
      const line = fitBar({ ...parts, label }, columns);
      expect(stringWidth(line), line).toBeLessThan(columns);
      expect(line).toContain('42% ');
      expect(line).toContain('112 MiB/s, 12 min 05 s left');
    }
});

test('a progress line is complete when the width is not known, and omits an unknown rate', () => {
  expect(fitBar({ ...parts, rate: '', left: '' }, undefined)).toBe(`${parts.label} [==========--------------] 42% 106 GiB of 251 GiB`);
  expect(fitBar({ ...parts, label: 'a', done: 1, rate: '', left: '' }, 20)).toBe('a [==========] 100%');
});
