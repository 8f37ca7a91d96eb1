import { expect, test } from 'vitest';
import { envLines, shellOf } from '../../src/commands/env-lines.ts';

const given = { set: { A: "it's \\ !1" }, unset: ['B'], tokenIn: 'SKULK_TOKEN' };

test.each([
  ['sh', ["export A='it'\\''s \\ !1'", 'export HF_TOKEN="$SKULK_TOKEN"', 'unset B']],
  ['fish', ["set -gx A 'it\\'s \\\\ !1'", 'set -gx HF_TOKEN "$SKULK_TOKEN"', 'set -e B']],
  ['csh', ["setenv A 'it'\\''s \\ \\!1'", 'setenv HF_TOKEN "$SKULK_TOKEN"', 'unsetenv B']],
  ['powershell', ["$env:A = 'it''s \\ !1'", '$env:HF_TOKEN = $env:SKULK_TOKEN', 'Remove-Item Env:B -ErrorAction SilentlyContinue']],
] as const)('lines for %s quote every value', (shell, lines) => expect(envLines(shell, given)).toEqual(lines));

test.each([
  ['/usr/bin/fish', 'fish'],
  ['/bin/tcsh', 'csh'],
  ['/usr/bin/pwsh', 'powershell'],
  ['/bin/zsh', 'sh'],
  [undefined, 'sh'],
])('the shell %s is read as %s', (path, shell) => expect(shellOf(path)).toBe(shell));
