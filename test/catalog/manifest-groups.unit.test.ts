import { expect, test } from 'vitest';
import { digestFiles, groupsOf, makeManifest, parseManifest, withoutFiles } from '../../src/core/catalog/manifest.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import type { ManifestFile } from '../../src/core/protocol/manifest.ts';
import { sha256 } from '../helpers/model-files.ts';

const modelId = parseModelId('org/model');
const file = (path: string, content = path): ManifestFile => ({
  path: path as RelativePath,
  size: content.length,
  sha256: sha256(content) as Sha256,
});
const shards = ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf'];
const files = ['config.json', 'm-Q4_K_M.gguf', ...shards, 'mmproj-F16.gguf'].map((path) => file(path));
const make = (some: readonly ManifestFile[]) => makeManifest(modelId, some, { source: 'add', createdAt: new Date(0) });

test('a manifest lists the quantizations of its GGUF weights, each with its own digest', () => {
  expect(make(files).groups).toEqual([
    { selector: 'Q4_K_M', files: ['m-Q4_K_M.gguf'], digest: digestFiles([file('m-Q4_K_M.gguf')]) },
    { selector: 'Q8_0', files: shards, digest: digestFiles(shards.map((path) => file(path))) },
  ]);
});

test('a manifest without GGUF weights has no key for quantizations', () => {
  expect(make([file('config.json'), file('model.safetensors')])).not.toHaveProperty('groups');
});

test('an added quantization changes the digest of the model, and not the digest of another quantization', () => {
  const before = make(files);
  const after = make([...files, file('m-Q2_K.gguf')]);
  expect(after.digest).not.toBe(before.digest);
  for (const group of before.groups ?? []) expect(after.groups).toContainEqual(group);
});

test('the quantizations of an older manifest are derived when it is read, and wrong ones in a manifest are ignored', () => {
  const { groups, ...older } = make(files);
  expect(parseManifest(older, 'a test')).toEqual({ ...older, groups });
  const lying = { ...older, groups: [{ selector: 'Q4_K_M', files: ['config.json'], digest: older.digest }] };
  expect(parseManifest(lying, 'a test').groups).toEqual(groups);
});

test('a manifest without some of its files is still valid', () => {
  const rest = withoutFiles(make(files), new Set(shards));
  expect(parseManifest(JSON.parse(JSON.stringify(rest)), 'a test')).toEqual(rest);
  expect(rest.groups?.map(({ selector }) => selector)).toEqual(['Q4_K_M']);
  const last = withoutFiles(rest, new Set(['m-Q4_K_M.gguf']));
  expect(last).not.toHaveProperty('groups');
  expect(groupsOf(last.files)).toEqual([]);
});
