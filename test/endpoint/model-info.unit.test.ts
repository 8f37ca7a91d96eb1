import { expect, test } from 'vitest';
import type { HubListed, HubRepo } from '../../src/core/endpoint/contract.ts';
import { readFrontMatter } from '../../src/core/endpoint/view/front-matter.ts';
import { commitsOf, listedInfo, modelInfo, refsOf, searchModels } from '../../src/core/endpoint/view/model-info.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';

const commit = 'c'.repeat(40);
const times = { lastModified: '2026-01-01T00:00:00.000Z', createdAt: '2026-01-01T00:00:00.000Z' };
const files = [{ path: 'a', size: 3, oid: 'a'.repeat(40), isHeld: true }] as unknown as HubRepo['files'];
const repo: HubRepo = { id: 'org/m' as ModelId, commit, files, byPath: new Map(), isComplete: true, ...times };

test('the description of a model has all fields that clients of the Hub read', () => {
  const facts = readFrontMatter('---\ntags: [x, 1]\nlibrary_name: mlx\npipeline_tag: text-generation\nlicense: mit\n---\n# M\n');
  expect(modelInfo(repo, facts, { withBlobs: false })).toEqual({
    ...{ _id: expect.stringMatching(/^[0-9a-f]{24}$/), id: 'org/m', modelId: 'org/m', author: 'org', sha: commit, ...times },
    ...{
      private: false,
      gated: false,
      disabled: false,
      downloads: 0,
      likes: 0,
      tags: ['x'],
      library_name: 'mlx',
      pipeline_tag: 'text-generation',
    },
    cardData: { tags: ['x', 1], library_name: 'mlx', pipeline_tag: 'text-generation', license: 'mit' },
    usedStorage: 3,
    siblings: [{ rfilename: 'a' }],
  });
  expect(modelInfo(repo, facts, { withBlobs: true })).toMatchObject({ siblings: [{ rfilename: 'a', size: 3, blobId: 'a'.repeat(40) }] });
});

test('the description of a model without an organization has no author', () => {
  expect(modelInfo({ ...repo, id: 'm' as ModelId }, { tags: [] }, { withBlobs: false })).not.toHaveProperty('author');
});

test('a model has one branch and one commit', () => {
  const refs = { branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }], converts: [], tags: [] };
  expect(refsOf(repo, { withRequests: false })).toEqual(refs);
  expect(refsOf(repo, { withRequests: true })).toEqual({ ...refs, pullRequests: [] });
  expect(commitsOf(repo)).toEqual([
    { id: commit, title: expect.any(String), message: '', authors: [{ user: 'skulk' }], date: times.lastModified },
  ]);
});

test.each([
  ['no card at all', ''],
  ['no front matter', '# M\n---\na: b\n---\n'],
  ['one that does not end', '---\na: b\n'],
  ['a list', '---\n- a\n---\n'],
  ['bad YAML', '---\na: [\n---\n'],
  ['a circle', '---\na: &a [*a]\n---\n'],
  ['references that grow', `---\na: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(90)}]\nc: [${'*b,'.repeat(90)}]\n---\n`],
  ['one that is too long', `---\na: ${'x'.repeat(200_000)}\n---\n`],
])('the front matter of a README gives nothing with %s', (_, card) => {
  expect(readFrontMatter(card)).toEqual({ tags: [] });
});

test('the front matter of a README can have a byte order mark and Windows line ends', () => {
  expect(readFrontMatter('\uFEFF---\r\npipeline_tag: x\r\n---\r\n')).toMatchObject({ pipelineTag: 'x' });
});

const model = (id: string, more: Partial<HubListed> = {}): HubListed => ({
  id: id as ModelId,
  commit,
  ...times,
  tags: [],
  totalBytes: 5,
  ...more,
});
const models = [
  model('Acme/Tiny-GGUF', { tags: ['gguf'], lastModified: '2026-01-02T00:00:00.000Z' }),
  model('acme/big', { libraryName: 'mlx', lastModified: '2026-01-03T00:00:00.000Z' }),
  model('tiny', { pipelineTag: 'text-generation' }),
];

test.each([
  [{}, ['Acme/Tiny-GGUF', 'acme/big', 'tiny']],
  [{ search: 'TINY' }, ['Acme/Tiny-GGUF', 'tiny']],
  [{ search: 'gguf tiny' }, ['Acme/Tiny-GGUF']],
  [{ author: 'ACME' }, ['Acme/Tiny-GGUF', 'acme/big']],
  [{ author: 'acm' }, []],
  [{ filters: ['GGUF'] }, ['Acme/Tiny-GGUF']],
  [{ filters: ['mlx'] }, ['acme/big']],
  [{ filters: ['text-generation'] }, ['tiny']],
  [{ filters: ['gguf', 'mlx'] }, []],
  [{ sort: 'lastModified' }, ['acme/big', 'Acme/Tiny-GGUF', 'tiny']],
  [{ sort: 'last_modified', isAscending: true }, ['tiny', 'Acme/Tiny-GGUF', 'acme/big']],
  [{ sort: 'downloads', limit: 1 }, ['Acme/Tiny-GGUF']],
])('models are found by the search %j', (query, expected) => {
  expect(searchModels(models, { filters: [], ...query }).map(({ id }) => id)).toEqual(expected);
});

test('a model in the list is described without its files', () => {
  expect(listedInfo(models[1] as HubListed)).toMatchObject({
    id: 'acme/big',
    author: 'acme',
    sha: commit,
    library_name: 'mlx',
    usedStorage: 5,
  });
  expect(listedInfo(models[1] as HubListed)).not.toHaveProperty('siblings');
});
