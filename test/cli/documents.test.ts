import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makePages } from '../../src/cli/docs/pages.ts';
import { exitStatuses } from '../../src/cli/exits.ts';
import { commandLoaders } from '../../src/commands/index.ts';
import { errorCodes } from '../../src/core/kernel/errors.ts';
import { runCli } from '../helpers/run-cli.ts';

const root = new URL('../../', import.meta.url);
const skulk = (argv: readonly string[]) => runCli(argv, { cwd: '/' });

test('man/ holds what the definitions say, and package.json names every page', async () => {
  const pages = await makePages(commandLoaders);
  expect(readdirSync(new URL('man/', root)).sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) expect(readFileSync(new URL(`man/${name}`, root), 'utf8'), name).toBe(text);
  const { man } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  expect([...man].sort()).toEqual([...pages.keys()].map((name) => `./man/${name}`).sort());
});

test('the named exit statuses are those of the errors', () => {
  const named = new Set(Object.values(exitStatuses).map(([status]) => String(status)));
  for (const { exit } of Object.values(errorCodes))
    expect(exit >= 128 ? '130, 143' : String(exit)).toSatisfy((status: string) => named.has(status));
});

describe('completion', () => {
  test('of bash is a script that completes verbs, flags and choices', async () => {
    const { stdout } = await skulk(['completion', 'bash']);
    execFileSync('bash', ['-n'], { input: stdout });
    const complete = (...words: string[]): string[] => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _skulk; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
    };
    expect(complete('skulk', 'sta')).toEqual(['stage', 'staging']);
    expect(complete('skulk', '--json', 'stage', '--dr')).toEqual(['--dry-run']);
    expect(complete('skulk', 'serve', '--role', 's')).toEqual(['store']);
    expect(complete('skulk', 'config', 'v')).toEqual(['validate']);
  });

  test.each(['zsh', 'fish'])('of %s names every verb', async (shell) => {
    const { status, stdout } = await skulk(['completion', shell]);
    expect(status).toBe(0);
    for (const verb of Object.keys(commandLoaders)) expect(stdout).toContain(verb);
  });

  test('of another shell is refused', async () => {
    expect(await skulk(['completion', 'tcsh'])).toMatchObject({ status: 2, stdout: '' });
  });
});
