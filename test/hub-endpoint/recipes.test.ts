import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** The shell commands of a page, one block each, exactly as they are written. */
async function commandsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../docs/recipes/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

const files = {
  'Foo-Q4_K_M.gguf': Buffer.concat([ggufBytes({ 'general.architecture': 'llama' }), noise(12 * 1024 * 1024, 7)]),
  'config.json': '{"model_type":"llama"}',
};
const small = { 'config.json': '{"model_type":"bert"}', 'model.safetensors': noise(70_000, 8) };
const gguf = sha256(files['Foo-Q4_K_M.gguf']);

/** A store, the strict stand-in for the Hub behind it, and a shell for the commands of a page. */
async function recipeWorld() {
  const world = await hubWorld();
  world.hub.push('bartowski/Foo-GGUF', { files });
  world.hub.push('sentence-transformers/all-MiniLM-L6-v2', { files: small });
  const bin = await temporaryDirectory();
  await writeFile(join(bin, 'skulk'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  await chmod(join(bin, 'skulk'), 0o755);
  const host = await world.serve();
  const home = await temporaryDirectory();
  let runs = 0;
  return {
    world,
    host,
    /** Runs a block in an empty directory. Only the address is another one. */
    shell: async (block: string, { token, into }: { token?: string; into?: string } = {}) => {
      const cwd = into ?? join(home, String(runs));
      runs += 1;
      await mkdir(cwd, { recursive: true });
      const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: home, SKULK_HOME: join(home, 'node'), SKULK_STORE: host.url };
      const command = block.replaceAll('http://192.168.1.10:58080', host.url);
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command], {
        cwd,
        env: { ...env, ...(token !== undefined && { SKULK_TOKEN: token }) },
      });
      return { cwd, stdout };
    },
  };
}

const digestIn = async (cwd: string, path: string): Promise<string> => sha256(await readFile(join(cwd, path)));

describe.each([
  { which: 'holds them', isHeld: true },
  { which: 'fetches them meanwhile', isHeld: false },
])('a store that $which', ({ isHeld }) => {
  test('gives every command of docs/recipes/curl.md right files, as it is written there', wants('wget', 'aria2', 'jq'), async () => {
    const { world, host, shell } = await recipeWorld();
    if (isHeld) {
      for (const id of ['bartowski/Foo-GGUF', 'sentence-transformers/all-MiniLM-L6-v2'])
        expect((await world.host('download', id)).status).toBe(0);
    }
    const [one, several, withToken, check, etag, others, list, ...more] = await commandsOf('curl.md');
    expect(more).toEqual([]);
    const { cwd } = await shell(one ?? '');
    expect(await digestIn(cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
    const pair = await shell(several ?? '');
    for (const [path, content] of Object.entries(small)) expect(await digestIn(pair.cwd, `all-MiniLM-L6-v2/${path}`)).toBe(sha256(content));
    expect((await shell(etag ?? '')).stdout).toContain(gguf);
    expect((await shell(list ?? '')).stdout.split('\n')).toContain('Foo-Q4_K_M.gguf');
    const lines = (others ?? '').trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['wget', 'aria2c']);
    for (const line of lines) {
      const got = await shell(line);
      expect(await readdir(got.cwd)).toEqual(['Foo-Q4_K_M.gguf']);
      expect(await digestIn(got.cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
    }
    await expect.poll(async () => (await world.host('show', 'bartowski/Foo-GGUF')).status).toBe(0);
    expect((await shell(check ?? '', { into: cwd })).stdout).toContain('Foo-Q4_K_M.gguf: OK');

    // A closed store.
    expect((await world.host('policy', 'set', 'lan', 'none')).status).toBe(0);
    const made = await world.host('token', 'create', 'laptop', '--role', 'read', '--json');
    const { token } = JSON.parse(made.stdout) as { token: string };
    await expect.poll(async () => (await fetch(`${host.url}/api/models`)).status).toBe(401);
    await expect(shell(one ?? '')).rejects.toThrow('401');
    expect(await digestIn((await shell(withToken ?? '', { token })).cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
  });
});
