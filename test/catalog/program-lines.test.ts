import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listUses } from '../../src/core/catalog/programs/use-program.ts';
import { isLong } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** Writes its name and its arguments to a file, each followed by a NUL; prints a path when it is asked for one. */
const recorder = `#!/bin/sh
{ printf '%s\\0' "\${0##*/}" "$@"; printf '\\1'; } >> "$RECORD"
case "$*" in stage*) printf '%s\\n' "$STAGED";; esac
`;

/** Runs the commands in a shell, with programs that only record their arguments. */
async function argumentsOf(lines: readonly string[]): Promise<readonly (readonly string[])[]> {
  const home = await temporaryDirectory();
  const bin = join(home, 'bin');
  await mkdir(bin);
  for (const name of ['python3', 'vllm', 'llama-server', 'ollama', 'lms', 'mlx_lm.generate', 'hf', 'curl', 'skulk']) {
    await writeFile(join(bin, name), recorder);
    await chmod(join(bin, name), 0o755);
  }
  const env = { PATH: `${bin}:/usr/bin:/bin`, RECORD: join(home, 'record'), STAGED: '/staged/a.gguf', SKULK_TOKEN: 'secret token' };
  await promisify(execFile)('/bin/sh', ['-e', '-c', lines.join('\n')], { cwd: home, env });
  expect((await readdir(home)).filter((name) => !['bin', 'record', 'Modelfile'].includes(name))).toEqual([]);
  const record = await readFile(env.RECORD, 'utf8');
  return record
    .split('\x01')
    .slice(0, -1)
    .map((call) => call.split('\0').slice(0, -1));
}

const endpoint = { address: 'http://192.168.1.10:58080', needsToken: true };
/** Names with what shells and templates replace; the short form has the first. */
const names = [
  'it\'s $(touch pwned) `touch pwned` "; touch pwned; "',
  '{path} {gguf} {{ a\ttab\nand a line',
  "\\' ; touch pwned # $SKULK_TOKEN !1 ünïcode 名前",
];

test.each(isLong ? names : names.slice(0, 1))('a file name cannot escape its quotes in any shell command: %j', async (name) => {
  for (const ending of ['-Q4_K_M.gguf', '.gguf', '.safetensors']) {
    const path = `sub/${name}${ending}`;
    const model = { modelId: 'me/Foo', files: [{ path, size: 5 }], baseModel: name };
    for (const { program, hub, staged } of listUses(model, { ...endpoint, needsToken: false })) {
      for (const lines of [hub.lines, staged.lines]) {
        if (lines === undefined) continue;
        const calls = await argumentsOf(lines);
        const said = calls.flat();
        if (program === 'curl') {
          expect(said).toContain(`./${ending === '.safetensors' ? 'Foo/' : ''}${path}`);
          expect(said.at(-1)).toBe(`${endpoint.address}/me/Foo/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`);
        }
        if (program === 'hf' && ending !== '.safetensors') expect(said).toContain(path);
        if (program === 'llama-server' && lines === hub.lines && ending === '.gguf') expect(said).toContain(path);
      }
    }
  }
});
