import { describe, expect, onTestFinished, test } from 'vitest';
import { makeManifest } from '../../src/core/catalog/manifest.ts';
import type { Upstream } from '../../src/core/catalog/upstream.ts';
import {
  type ColdHub,
  type HubAsker,
  type HubBackend,
  HubRefusal,
  type HubRefusalKind,
  type UpstreamRepo,
} from '../../src/core/endpoint/contract.ts';
import { createHostHub } from '../../src/core/endpoint/held/host-hub.ts';
import { gitBlobId } from '../../src/core/endpoint/view/file-identity.ts';
import { contentCommit } from '../../src/core/endpoint/view/held-views.ts';
import { findFile, listTree } from '../../src/core/endpoint/view/tree.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { directoryStore, sha256 } from '../helpers/directory-store.ts';

const signal = new AbortController().signal;
const node: HubAsker = { mayFetch: true };
const reader: HubAsker = { mayFetch: false };
const [commit, other] = ['c'.repeat(40), 'd'.repeat(40)];
const small = (path: string, text: string) => ({ path: path as RelativePath, size: text.length, oid: gitBlobId(text) });
const large = (path: string, text: string) => ({ path: path as RelativePath, size: text.length, sha256: sha256(text) });
const listing = (files: Upstream['files'], at = commit): UpstreamRepo => ({
  repo: parseModelId('org/part'),
  commit: at,
  files,
  facts: { tags: ['up'] },
});
const full = listing([small('config.json', '{}'), large('a.gguf', 'A'), large('b.gguf', 'B')]);

/** A store with a part of a model of the Hub and one that was added by hand, and a stand-in for the rest. */
async function hubOf({
  isOn = true,
  known = full as Upstream | null,
  look = async (): Promise<UpstreamRepo> => full,
  hidden = [] as readonly string[],
} = {}) {
  const store = await directoryStore(
    { 'org/part': { 'config.json': '{}', 'a.gguf': 'A' }, 'Org/Own': { 'README.md': '---\ntags: [mine]\n---\n', 'w.safetensors': 'W' } },
    { upstream: async (id) => (id === 'org/part' ? (known ?? undefined) : undefined) },
  );
  onTestFinished(() => store[Symbol.asyncDispose]());
  const { files } = store.manifests.get('org/part') as Manifest;
  const facts = { source: 'hub', commit, revision: 'v1', createdAt: new Date('2026-01-01') };
  (store.manifests as Map<string, Manifest>).set('org/part', makeManifest(parseModelId('org/part'), files, facts));
  const asked: string[] = [];
  const cold: ColdHub = {
    isOn: async () => isOn,
    findListing: async ({ modelId, revision }) => {
      asked.push(`look ${modelId}@${revision}`);
      return look();
    },
    head: async (_, { path }) => void asked.push(`head ${path}`),
    open: async (_, { path }, { range }) => {
      asked.push(`open ${path} ${range.start}-${range.end}`);
      return { kind: 'stream', bytes: (async function* () {})() };
    },
  };
  const hub = createHostHub({ store, cold, isHidden: async (id) => hidden.includes(id) });
  const repo = (id: string, revision?: string, asker = node) => hub.repo({ id, revision }, asker, signal);
  return { store, hub, asked, repo, content: contentCommit(files) };
}

const refusedAs = (kind: HubRefusalKind) => expect.objectContaining({ kind });
const pathsOf = ({ files }: { readonly files: readonly { readonly path: string; readonly isHeld: boolean }[] }) =>
  files.map(({ path, isHeld }) => (isHeld ? path : `(${path})`));
const open = async (hub: HubBackend, repo: Awaited<ReturnType<HubBackend['repo']>>, path: string, asker = node) => {
  const content = await hub.open(repo, findFile(repo, path), { range: { start: 0, end: 1 }, asker, signal });
  if (content.kind === 'file') await content.file[Symbol.asyncDispose]();
  return content.kind;
};

describe('a partial model with a recorded full listing', () => {
  test.each([
    ['main', node],
    ['HEAD', reader],
    ['v1', reader],
    [commit, node],
    [commit.slice(0, 7), node],
  ])("has the Hub's commit and full listing if upstream is on: %s", async (revision, asker) => {
    const { repo, asked } = await hubOf();
    const found = await repo('org/part', revision, asker);
    expect([found.commit, pathsOf(found)]).toEqual([commit, ['a.gguf', '(b.gguf)', 'config.json']]);
    expect(asked).toEqual([]);
  });

  test('has another commit with the existing files if upstream is off, without a request to Hugging Face', async () => {
    const { repo, asked, content } = await hubOf({ isOn: false });
    const found = await repo('org/part');
    expect([found.commit, pathsOf(found)]).toEqual([content, ['a.gguf', 'config.json']]);
    expect((await repo('org/part', content)).commit).toBe(content);
    await expect(repo('org/part', 'v2')).rejects.toEqual(refusedAs('revisionNotFound'));
    expect(asked).toEqual([]);
  });

  test("still answers for the Hub's commit if upstream is off, and never says that a missing file does not exist", async () => {
    const { hub, repo } = await hubOf({ isOn: false });
    const found = await repo('org/part', commit);
    expect(pathsOf(found)).toEqual(['a.gguf', '(b.gguf)', 'config.json']);
    expect(await open(hub, found, 'a.gguf')).toBe('file');
    await expect(open(hub, found, 'b.gguf')).rejects.toEqual(refusedAs('unreachable'));
    await expect(hub.head(found, findFile(found, 'b.gguf'), node)).rejects.toEqual(refusedAs('unreachable'));
    expect(() => findFile(found, 'none')).toThrow(expect.objectContaining({ kind: 'entryNotFound', commit }));
  });

  test('sends existing files, and fetches the others for clients with the role node', async () => {
    const { hub, repo, asked } = await hubOf();
    const found = await repo('org/part');
    expect(await open(hub, found, 'a.gguf', reader)).toBe('file');
    expect(await open(hub, found, 'b.gguf')).toBe('stream');
    await hub.head(found, findFile(found, 'b.gguf'), node);
    await hub.head(found, findFile(found, 'a.gguf'), reader);
    expect(asked).toEqual(['open b.gguf 0-1', 'head b.gguf']);
    await expect(open(hub, found, 'b.gguf', reader)).rejects.toEqual(refusedAs('mayNotFetch'));
    expect(asked).toHaveLength(2);
  });

  test('looks up another revision for clients with the role node, and reuses files with the same content', async () => {
    const { repo, asked } = await hubOf({ look: async () => listing([small('config.json', '{}'), large('a.gguf', 'changed')], other) });
    const found = await repo('org/part', 'v2');
    expect([found.commit, pathsOf(found)]).toEqual([other, ['(a.gguf)', 'config.json']]);
    await expect(repo('org/part', 'v2', reader)).rejects.toEqual(refusedAs('revisionNotFound'));
    expect(asked).toEqual(['look org/part@v2']);
  });
});

describe('a partial model without a recorded listing', () => {
  test('has its listing requested from the Hub', async () => {
    const { repo, asked } = await hubOf({ known: null });
    const found = await repo('org/part');
    expect([found.isComplete, found.commit, pathsOf(found)]).toEqual([true, commit, ['a.gguf', '(b.gguf)', 'config.json']]);
    expect(asked).toEqual([`look org/part@${commit}`]);
  });

  test.each([
    ['while the source cannot be asked', node],
    ['for those who may only read', reader],
  ])('sends existing files and lists nothing %s', async (_, asker) => {
    const look = async (): Promise<never> => {
      throw new HubRefusal('unreachable', 'away');
    };
    const { hub, repo } = await hubOf({ known: null, look });
    const found = await repo('org/part', 'main', asker);
    expect([found.commit, found.isComplete]).toEqual([commit, false]);
    expect(await open(hub, found, 'a.gguf', asker)).toBe('file');
    expect(() => listTree(found, '', { isRecursive: true, isExpanded: false })).toThrow(refusedAs('unreachable'));
    expect(() => findFile(found, 'b.gguf')).toThrow(refusedAs('unreachable'));
  });
});

describe('a model that was added by hand', () => {
  test.each(['Org/Own', 'org/own', 'ORG/OWN'])('is found as %s, and shown with the spelling of the store', async (id) => {
    const { repo, hub } = await hubOf();
    const found = await repo(id, 'main', reader);
    expect([found.id, found.isComplete, pathsOf(found)]).toEqual(['Org/Own', true, ['README.md', 'w.safetensors']]);
    expect(await hub.facts(found, reader, signal)).toEqual({ tags: ['safetensors', 'mine'], cardData: { tags: ['mine'] } });
  });

  test('is never looked up on Hugging Face under the same name', async () => {
    const { repo, asked } = await hubOf();
    await expect(repo('Org/Own', 'v2')).rejects.toEqual(refusedAs('revisionNotFound'));
    await expect(repo('Org/Own', commit)).rejects.toEqual(refusedAs('revisionNotFound'));
    expect(asked).toEqual([]);
  });
});

describe('a model that the store does not have', () => {
  test('is looked up for clients with the role node, and shown with the spelling of its source', async () => {
    const { repo, asked, hub } = await hubOf();
    const found = await repo('Some/Other', 'main');
    expect([found.id, found.commit, pathsOf(found)]).toEqual(['org/part', commit, ['(a.gguf)', '(b.gguf)', '(config.json)']]);
    expect(await hub.facts(found, node, signal)).toEqual({ tags: ['up'] });
    expect(asked).toEqual(['look Some/Other@main']);
  });

  test.each([
    ['for those who may only read', 'a/b', 'main', reader, true],
    ['where upstream is off', 'a/b', 'main', node, false],
    ['without an organization', 'gpt2', 'main', node, true],
    ['by what is no id', 'a/../b', 'main', node, true],
  ])('is not found %s, without a request to Hugging Face', async (_, id, revision, asker, isOn) => {
    const { repo, asked } = await hubOf({ isOn });
    await expect(repo(id, revision, asker)).rejects.toEqual(refusedAs('repoNotFound'));
    expect(asked).toEqual([]);
  });

  test('is not looked up for an invalid revision', async () => {
    const { repo, asked } = await hubOf();
    await expect(repo('a/b', '../..')).rejects.toEqual(refusedAs('revisionNotFound'));
    expect(asked).toEqual([]);
  });
});

test('a model that is replaced between two steps is refused, and never sent under the other commit', async () => {
  const { store, hub, repo } = await hubOf();
  const found = await repo('Org/Own');
  const changed = makeManifest(found.id, [{ path: 'w.safetensors' as RelativePath, size: 1, sha256: sha256('X') }], {
    source: 'add',
    createdAt: new Date(),
  });
  (store.manifests as Map<string, Manifest>).set('Org/Own', changed);
  await expect(open(hub, found, 'w.safetensors')).rejects.toEqual(refusedAs('busy'));
  await store.remove(found.id);
  await expect(open(hub, found, 'w.safetensors')).rejects.toEqual(refusedAs('busy'));
});

test('a hidden model is not found and not listed', async () => {
  const { hub, repo } = await hubOf({ hidden: ['org/part'] });
  await expect(repo('org/part')).rejects.toEqual(refusedAs('repoNotFound'));
  expect((await hub.list(signal)).map(({ id }) => id)).toEqual(['Org/Own']);
});

test('the list shows the same commit for each model as its own page', async () => {
  for (const isOn of [true, false]) {
    const { hub, repo } = await hubOf({ isOn });
    for (const { id, commit: listed } of await hub.list(signal)) expect(listed).toBe((await repo(id)).commit);
    expect((await hub.list(signal)).map(({ id, tags }) => [id, tags.includes('gguf')])).toEqual([
      ['Org/Own', false],
      ['org/part', true],
    ]);
  }
});
