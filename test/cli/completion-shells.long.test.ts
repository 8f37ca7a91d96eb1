import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../helpers/run-cli.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

/**
 * A directory with the completion script of a shell, and a `skulk` that answers a request for words with the prefix and the name of the
 * list.
 */
async function directoryFor(shell: 'zsh' | 'fish'): Promise<{ readonly directory: string; readonly env: NodeJS.ProcessEnv }> {
  const directory = await temporaryDirectory();
  const { stdout } = await runCli(['completion', shell], { cwd: directory });
  await writeFile(join(directory, 'script'), stdout);
  await writeFile(join(directory, 'skulk'), '#!/bin/sh\necho "$4$2"\n', { mode: 0o755 });
  return { directory, env: { PATH: `${directory}:${process.env['PATH'] ?? ''}`, HOME: directory, TERM: 'dumb' } };
}

describe('completion in fish', wants('fish'), () => {
  test('offers words at their positions, and files only to the program of `run`', async () => {
    const { directory, env } = await directoryFor('fish');
    const lines = {
      'skulk ls --tag vi': ['vitags'],
      'skulk rm org/x:Q': ['org/x:Qmodels'],
      'skulk stage org/x ': ['models'],
      'skulk nodes --forget ': ['nodes'],
      'skulk serve --role ': ['auto', 'node', 'store'],
      'skulk run org/x -- scr': ['script'],
      'skulk add scr': ['script'],
      'skulk health scr': [],
      'skulk registry --tag vi scr': ['scrmodels'],
      'skulk policy s': ['set', 'show'],
      'skulk policy set s': [],
    };
    const given = Object.keys(lines).map((line) => `complete -C '${line}'; echo ---`);
    const text = execFileSync('fish', ['--no-config', '-c', ['source script', ...given].join('\n')], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
    const found = text.split('---\n').map((block) =>
      block
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t')[0]),
    );
    expect(Object.fromEntries(Object.keys(lines).map((line, index) => [line, found[index]]))).toEqual(lines);
  });
});

/** Records the edited line when Ctrl-X is pressed, and clears it. */
const zshNotes = `
note() { print -r -- "$BUFFER" >> noted; BUFFER=; print -n NO\\TED > /dev/tty }
zle -N note
bindkey '^X' note
`;

describe('completion in zsh', wants('zsh'), () => {
  test('completes a word in upper or lower case, also of an alias', async () => {
    const { directory, env } = await directoryFor('zsh');
    await writeFile(join(directory, 'skulk'), '#!/bin/sh\necho "ORG/X-$2"\n', { mode: 0o755 });
    await writeFile(join(directory, 'notes'), zshNotes);
    const lines = {
      'skulk rm org/': 'skulk rm ORG/X-models ',
      'skulk ls --tag ORG': 'skulk ls --tag ORG/X-tags ',
      'skulk nodes --forget=or': 'skulk nodes --forget=ORG/X-nodes ',
      'skulk serve --role st': 'skulk serve --role store ',
      'skulk run a -- scr': 'skulk run a -- script ',
      'skulk health scr': 'skulk health scr',
      'skulk policy set scr': 'skulk policy set scr',
    };
    const driver = [
      'zmodload zsh/zpty',
      'zpty z zsh -f -i',
      "zpty -w z 'autoload -Uz compinit; compinit -u -d dump; source script; source notes; setopt nolistbeep; print REA\\DY'",
      "zpty -r z text '*READY*'",
      ...Object.keys(lines).flatMap((line) => [`zpty -n -w z $'${line}\\t\\x18'`, "zpty -r z text '*NOTED*'"]),
      'zpty -d z',
    ].join('\n');
    execFileSync('zsh', ['-fc', driver], { cwd: directory, env });
    expect((await readFile(join(directory, 'noted'), 'utf8')).split('\n').slice(0, -1)).toEqual(Object.values(lines));
  });
});
