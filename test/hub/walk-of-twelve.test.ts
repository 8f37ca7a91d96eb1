import { describe, expect } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { base, files, id, kib, labels } from '../helpers/twelve-quantizations.ts';

/** A store host and a node, with the commands of a new user. */
async function newcomer() {
  const world = await hubWorld();
  world.hub.push(id, { files });
  const served = await world.serveInProcess();
  const skulk = async (...args: string[]) => world.nodeInProcess(served, 'laptop', ...args);
  const says = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await skulk(...args);
    expect([status, stderr], args.join(' ')).toEqual([0, expect.not.stringContaining('warning')]);
    return stdout;
  };
  return { world, skulk, says };
}

describe('a new user of a repo with twelve quantizations', () => {
  usualTest('sees which files are selected and why before the download, and a wrong name gets a list of all twelve', async () => {
    const { skulk, says } = await newcomer();
    const plan = await says('download', '--dry-run', `https://huggingface.co/${id}`);
    expect(plan).toMatch(/^google_gemma-3-27b-it-Q4_K_M\.gguf +48\.0 KiB +take +the chosen weights$/m);
    expect(plan).toMatch(/^mmproj-.*-f16\.gguf +8\.00 KiB +take +the projector for the chosen weights$/m);
    expect(plan).toMatch(/^mmproj-.*-f32\.gguf +16\.0 KiB +leave +another projector is downloaded$/m);
    expect(plan).toMatch(/^google_gemma-3-27b-it\.imatrix +9\.00 KiB +leave +an importance matrix, not weights$/m);
    expect(plan.match(/leave +another quantization$/gm)).toHaveLength(12);
    const wrong = await skulk('download', `${id}:Q4`);
    expect(wrong).toMatchObject({ status: 3, stdout: '' });
    for (const label of labels) expect(wrong.stderr).toMatch(new RegExp(`it has .*\\b${label}\\b`));
  });

  usualTest('adds one quantization beside another, and each command changes only that one', async () => {
    const { world, skulk, says } = await newcomer();
    expect(await says('download', id)).toMatch(
      /: in the store, 56\.0 KiB .*\nthe weights are .*-Q4_K_M\.gguf\nthe projector is mmproj-.*\nnext: skulk stage /,
    );
    const second = await skulk('download', `${id}:q8_0`);
    // The sum and the progress do not count existing files.
    expect(second.stdout).toMatch(new RegExp(`^${id}:q8_0: in the store, 93\\.0 KiB`));
    expect(second.stdout).toContain(`next: skulk stage ${id}:q8_0\n`);
    expect(second.stderr).toContain('of 85.0 KiB');
    expect(second.stderr).not.toContain('warning');
    expect(await says('download', `${id}:bf16`)).toContain('-bf16-00001-of-00002.gguf\n');
    expect(await skulk('download', `${id}:Q2_K`, '--quiet')).toMatchObject({ status: 0, stderr: '' });
    const { downloads } = JSON.parse(await says('downloads', '--json')) as { downloads: { selector: string; bytes_total: number }[] };
    expect(downloads.map(({ selector, bytes_total }) => [selector, bytes_total])).toEqual([
      [null, 56 * kib + 33],
      ['q8_0', 85 * kib],
      ['bf16', 160 * kib],
      ['Q2_K', 30 * kib],
    ]);
    expect(world.hub.sent(`${base}-Q4_K_M.gguf`)).toBe(48 * kib);

    expect(await says('registry')).toMatch(/ 4 quantizations /);
    expect(await says('registry', '-v')).toMatch(/ Q4_K_M, Q8_0, Q2_K, BF16 /);
    const shown = await says('show', id);
    for (const row of [/^Q4_K_M +48\.0 KiB +4\.\d+ +1 +-$/m, /^Q8_0 +85\.0 KiB +8\.5 +1 +-$/m, /^BF16 +160 KiB +16 +2 +-$/m])
      expect(shown).toMatch(row);
  });

  longTest('stages, runs, purges and deletes one quantization, and the others stay', async () => {
    const { skulk, says } = await newcomer();
    for (const label of ['Q4_K_M', 'Q8_0', 'bf16']) await says('download', `${id}:${label}`);
    await says('stage', `${id}:Q8_0`);
    expect((await says('stage', `${id}:bf16`, '--print', 'gguf')).trim()).toMatch(/-bf16-00001-of-00002\.gguf$/);
    const staged = await says('staging');
    expect([...staged.matchAll(/^bartowski\/\S+:(\S+) /gm)].map(([, label]) => label).toSorted()).toEqual(['BF16', 'Q8_0']);
    const { models } = JSON.parse(await says('staging', '--json')) as {
      models: { quantizations: { selector: string; files: string[] }[] }[];
    };
    expect(models[0]?.quantizations.find(({ selector }) => selector === 'BF16')?.files).toHaveLength(2);
    const missing = await skulk('run', `${id}:Q6_X`, '--', 'true');
    expect(missing).toMatchObject({ status: 3, stderr: expect.stringMatching(/it has .*Q8_0/) });
    expect(await says('purge-staging', `${id}:Q8_0`)).toMatch(/^removed bartowski\/\S+:Q8_0 \(85\.0 KiB\)\n/);

    const { hostname } = JSON.parse(await says('nodes', '--json')).nodes.find(
      ({ staged_bytes: bytes }: { staged_bytes: number }) => bytes > 0,
    );
    expect(await says('delete', `${id}:bf16`, '--dry-run')).toMatch(
      new RegExp(
        `would delete ${id}:BF16 \\(160 KiB, and the copy on ${hostname} \\([0-9a-f]{4,}\\)\\)\\n  .*00001-of-00002\\.gguf\\n  .*00002-of-00002\\.gguf\\n`,
      ),
    );
    const deleted = await says('delete', `${id}:bf16`, '--yes');
    // A machine without a copy has no line.
    expect(deleted.match(/: done, freed /g)).toHaveLength(1);
    expect(deleted).toMatch(/^deleted \S+:BF16\n.* done, freed 168 KiB\nfreed 328 KiB\n$/);
    expect(await says('delete', `${id}:Q8_0`, '--yes')).toBe(`deleted ${id}:Q8_0\nfreed 85.0 KiB\n`);
    expect(await says('delete', `${id}:q4_k_m`, '--yes')).toContain(`deleted ${id}:Q4_K_M, its last quantization, so the whole model\n`);
    expect(await skulk('registry')).toMatchObject({ status: 0, stdout: '' });
  });
});
