import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { downloadCommand } from '../../src/commands/download-lines.ts';
import { shellWord } from '../../src/core/kernel/shell-word.ts';

test.each(['plain', 'org/x@v1:Q5_K_M', 'a b', "it's", '$HOME', '*', '~', 'a"b', '`x`', '\\', '#x', '!x', 'ü'])(
  'a shell parses %j back to the same text',
  (text) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(text);
  },
);

test.each([
  [{}, 'skulk download org/x'],
  [{ revision: 'v1', selector: 'Q5_K_M' }, 'skulk download org/x@v1:Q5_K_M'],
  [{ gguf_file: 'a b.gguf', mmproj: 'all' }, "skulk download org/x --gguf-file 'a b.gguf' --mmproj all"],
  [
    { weights: 'gguf', include: ['*.gguf', 'x'], exclude: null, whole: true } as const,
    "skulk download org/x --weights gguf --include '*.gguf' --include x --whole",
  ],
])('a download of %j can be repeated with the printed command', (request, line) => {
  expect(downloadCommand('org/x', request)).toBe(line);
});
