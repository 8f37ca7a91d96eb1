import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import { fetchPlanned } from '../../src/core/sources/fetch-planned.ts';
import { planFetch } from '../../src/core/sources/plan-fetch.ts';
import type { Source } from '../../src/core/sources/source.ts';
import { unlimited } from '../../src/core/transfer/rate-limiter.ts';
import { sha256, writeFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const modelId = 'org/m' as ModelId;
const good = { 'config.json': '{}', 'a.safetensors': 'weights' };

/** A source that has its files in a directory of this machine, e.g. the cache of another program. */
function localSource(directory: string, opened: string[]): Source {
  return {
    name: 'a directory',
    kind: 'test',
    retry: { attempts: 1, firstDelayMs: 0, maxDelayMs: 0, maxRetryAfterMs: 0 },
    isTransient: () => false,
    list: async (ref) => ({
      ...ref,
      commit: 'a'.repeat(40),
      files: [
        { path: 'config.json' as RelativePath, size: 2, oid: createHash('sha1').update('blob 2\0{}').digest('hex') },
        { path: 'a.safetensors' as RelativePath, size: 7, sha256: sha256('weights') as never },
      ],
    }),
    open: async function* (_, { path }, { start, end }) {
      opened.push(path);
      yield Buffer.from(good[path as keyof typeof good].slice(start, end));
    },
    localPath: (_, { path }) => join(directory, path),
  };
}

async function fetchFrom(directory: string) {
  const opened: string[] = [];
  const source = localSource(directory, opened);
  const { signal } = new AbortController();
  const place = await temporaryDirectory();
  const listing = await source.list({ modelId, revision: 'main' }, signal);
  const plan = planFetch(listing, { source, request: {}, present: undefined });
  const { files } = await fetchPlanned(plan, {
    source,
    place: { files: join(place, 'files'), journal: join(place, 'journal') },
    isStore: false,
    present: undefined,
    connections: 2,
    limiter: unlimited,
    signal,
    onBytes: () => {},
  });
  return { opened, files, place: join(place, 'files') };
}

test('local files of a source are cloned, never linked, and checked against the listing', async () => {
  const directory = await temporaryDirectory();
  await writeFiles(directory, good);
  const { opened, files, place } = await fetchFrom(directory);
  expect(opened).toEqual([]);
  expect(files.map(({ path, sha256: digest }) => [path, digest])).toEqual([
    ['config.json', sha256('{}')],
    ['a.safetensors', sha256('weights')],
  ]);
  for (const path of Object.keys(good)) {
    expect((await stat(join(place, path))).nlink).toBe(1);
    expect((await stat(join(directory, path))).nlink).toBe(1);
  }
});

test('a local file that differs from the listing is downloaded from the source instead', async () => {
  const directory = await temporaryDirectory();
  await writeFiles(directory, { ...good, 'a.safetensors': 'wrongs!' });
  const { opened, place } = await fetchFrom(directory);
  expect(opened).toEqual(['a.safetensors']);
  expect(await readFile(join(place, 'a.safetensors'), 'utf8')).toBe('weights');
  expect(await readFile(join(directory, 'a.safetensors'), 'utf8')).toBe('wrongs!');
});
