import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SelectionRequest, selectFiles } from '../../../src/core/catalog/selection/select-files.ts';
import { rounds, testSeed } from '../../helpers/seeded.ts';
import { type Listing, listings } from './listings.ts';

const sized = (paths: readonly string[]) => paths.map((path) => ({ path, size: 1 }));
const taken = (paths: readonly string[], request: SelectionRequest = {}) =>
  selectFiles(sized(paths), request).taken.map(({ file }) => file.path);

describe('the selection of files', () => {
  test.each(listings.map((listing): [string, Listing] => [listing.name, listing]))('is correct for %s', (_, { request, chosen, files }) => {
    const selection = selectFiles(files, request);
    expect(selection.problem).toBeUndefined();
    expect(selection.taken.map(({ file }) => file.path)).toEqual(files.filter(({ isTaken }) => isTaken).map(({ path }) => path));
    expect(selection.left.map(({ file }) => file.path)).toEqual(files.filter(({ isTaken }) => !isTaken).map(({ path }) => path));
    expect(selection.group?.selector).toBe(chosen);
    const reasons = new Map([...selection.taken, ...selection.left].map(({ file, why }) => [file.path, why]));
    expect(files.map(({ path }) => `${path}: ${reasons.get(path)?.code}`)).toEqual(files.map(({ path, why }) => `${path}: ${why}`));
    for (const { text } of reasons.values()) expect(text).toMatch(/^[^\n]{3,}$/);
  });

  test('is correct for many different repos', () => {
    expect(new Set(listings.map(({ name }) => name)).size).toBe(listings.length);
    expect(listings.length).toBeGreaterThan(60);
  });
});

describe('weights that were split in an unknown way', () => {
  test.each([
    ...['X-Q2_K.gguf.{000,001}', 'X-Q2_K.gguf.part{1,2}', 'X-Q2_K.gguf.chunk{0,1}', 'X-Q2_K.gguf.{1of2,2of2}', 'X-Q2_K.gguf.split.{aa,ab}'],
    ...['X-Q2_K.gguf_{a,b}', 'X-Q2_K.gguf.x{aa,ab}', 'X-Q2_K.gguf-0000{1,2}-of-00002', 'X-Q2_K-{1,2}-of-2.gguf', 'X-Q2_K_{1,2}of2.gguf'],
    ...['X-Q2_K.part{1,2}of2.gguf', 'X-Q2_K-part{1,2}.gguf', 'X-Q2_K-split-{a,b}.gguf', 'X-Q2_K_part_{a,b}.gguf'],
    ...['X-Q2_K-{001,002}-of-002.gguf', 'X-Q2_K.gguf.tar.{001,002}', 'X-Q2_K.gguf.part0{1,2}.rar', 'X-Q2_K.gguf.{z01,zip}'],
    ...['X-Q2_K.gguf.7z.{001,002}', 'X-Q2_K.gguf.gz.{aa,ab}', 'X-Q2_K.gguf.zst'],
  ])('are refused with a clear message, and nothing else is selected instead: %s', (spelled) => {
    const [words = '', ...rest] = /\{([^}]*)\}/.exec(spelled) ?? [];
    const pieces = words === '' ? [spelled] : (rest[0] ?? '').split(',').map((word) => spelled.replace(words, word));
    const alone = [...pieces, 'config.json'];
    for (const paths of [alone, [...alone, 'X-Q4_K_M.gguf']])
      expect(selectFiles(sized(paths), { modelId: 'org/X-GGUF', selector: 'Q2_K' })).toMatchObject({
        taken: [],
        problem: { code: 'unknown-cut', message: expect.stringContaining(pieces[0] as string) },
      });
    expect(selectFiles(sized(alone), { modelId: 'org/X-GGUF' })).toMatchObject({ taken: [], problem: { code: 'unknown-cut' } });
    expect(taken([...alone, 'X-Q4_K_M.gguf'], { modelId: 'org/X-GGUF' })).toEqual(['config.json', 'X-Q4_K_M.gguf']);
  });
});

test('every quantization is listed once, best first, and its own name selects it', () => {
  for (const { files, request } of listings) {
    const { groups } = selectFiles(files, { modelId: request.modelId });
    for (const group of groups.filter(({ missingCount, cut }) => missingCount === 0 && cut !== 'unknown')) {
      const again = selectFiles(files, { selector: group.selector });
      expect(again.group).toEqual(group);
    }
  }
});

describe('a request that cannot be satisfied', () => {
  const repo = ['Foo-Q4_K_M.gguf', 'Foo-UD-Q4_K_XL.gguf', 'Foo-Q8_0-00001-of-00003.gguf', 'Foo-Q8_0-00003-of-00003.gguf', 'config.json'];
  test.each<[string, readonly string[], SelectionRequest, string, RegExp, RegExp]>([
    ['a label that is not there', repo, { selector: 'Q6_K' }, 'no-such-selection', /has no Q6_K/, /it has Q4_K_M, UD-Q4_K_XL, Q8_0$/],
    ['a label that is a part of another', repo, { selector: 'Q4_K' }, 'no-such-selection', /has no Q4_K$/, /Q4_K_M/],
    [
      'a label that only the folder of another has',
      ['Q8_0/m-Q4_K_M.gguf'],
      { selector: 'Q8_0' },
      'no-such-selection',
      /has no Q8_0/,
      /Q4_K_M/,
    ],
    ['a label without its prefix', repo, { selector: 'Q4_K_XL' }, 'no-such-selection', /Q4_K_XL/, /UD-Q4_K_XL/],
    ['a path that is not there', repo, { selector: 'Bar.gguf' }, 'no-such-selection', /has no Bar\.gguf/, /Q4_K_M/],
    ['a shard that is missing', repo, { selector: 'Q8_0' }, 'missing-shards', /lacks "Foo-Q8_0-00002-of-00003\.gguf" of Q8_0/, /Q4_K_M/],
    ['a missing shard of the best', ['a-Q4_K_M-00002-of-00002.gguf', 'a-Q8_0.gguf'], {}, 'missing-shards', /00001-of-00002/, /Q8_0/],
    ['one piece of an unknown number', ['a-Q8_0.gguf-split-b'], {}, 'missing-shards', /"a-Q8_0\.gguf-split-a"/, /author/],
    ['a first piece alone', ['a-Q8_0.gguf.a'], {}, 'missing-shards', /"a-Q8_0\.gguf\.b"/, /author/],
    [
      'a missing piece',
      ['a.Q6_K.gguf.part1of3', 'a.Q6_K.gguf.part3of3'],
      { selector: 'q6_k' },
      'missing-shards',
      /"a\.Q6_K\.gguf\.part2of3"/,
      /author/,
    ],
    [
      'a missing chunk',
      ['a-chunk-001-of-003.gguf', 'a-chunk-003-of-003.gguf'],
      {},
      'missing-shards',
      /"a-chunk-002-of-003\.gguf"/,
      /author/,
    ],
    [
      'pieces of an unknown kind',
      ['a-Q8_0.gguf.001', 'a-Q8_0.gguf.002', 'a-Q2_K.gguf'],
      {},
      'unknown-cut',
      /in pieces.*unknown kind/,
      /Q2_K/,
    ],
    ['an archive', ['a-Q4_K_M.gguf.zip'], { selector: 'Q4_K_M' }, 'unknown-cut', /a-Q4_K_M\.gguf\.zip/, /author/],
    [
      'a label that two have',
      ['a/x-Q4_0.gguf', 'b/x-Q4_0.gguf'],
      { selector: 'Q4_0' },
      'ambiguous-selector',
      /2 files/,
      /"a\/x-Q4_0\.gguf", "b\/x/,
    ],
    ['a selector without GGUF', ['m.safetensors'], { selector: 'Q4_0' }, 'no-such-selection', /has no Q4_0/, /no GGUF weights/],
    ['GGUF of a repo without', ['m.safetensors'], { weights: 'gguf' }, 'no-such-weights', /no GGUF/, /--weights/],
    ['safetensors of a repo without', ['m-Q4_0.gguf'], { weights: 'safetensors' }, 'no-such-weights', /no safetensors/, /--weights/],
    ['safetensors and a quantization', repo, { weights: 'safetensors', selector: 'Q8_0' }, 'contradiction', /Q8_0/, /--weights/],
    ['a projector that is not there', [...repo, 'mmproj-F16.gguf'], { mmproj: 'x.gguf' }, 'no-such-projector', /x\.gguf/, /mmproj-F16/],
    ['a projector where there is none', repo, { mmproj: 'all' }, 'no-such-projector', /no projector/, /--mmproj/],
    [
      'patterns that halve a group',
      ['a-Q8_0-00001-of-00002.gguf', 'a-Q8_0-00002-of-00002.gguf'],
      { include: ['*1-of*'] },
      'half-a-group',
      /2 files/,
      /all its files/,
    ],
    ['a pattern that matches everything', repo, { exclude: ['*'] }, 'nothing-matches', /besides those that match "\*"/, /--exclude/],
    ['a pattern against the selector', repo, { selector: 'Q4_K_M', exclude: ['*Q4_K_M*'] }, 'contradiction', /--exclude/, /pattern/],
    ['patterns that match nothing', repo, { include: ['*.nope'] }, 'nothing-matches', /\*\.nope/, /hf download/],
    ['a pattern that takes a group with a hole', repo, { include: ['*Q8_0*'] }, 'missing-shards', /00002-of-00003/, /Q4_K_M/],
  ])('is refused for %s, and no file is selected', (_, paths, request, code, message, hint) => {
    const { problem, taken: files, left } = selectFiles(sized(paths), request);
    expect(problem).toEqual({ code, message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
    expect([files.length, left.length]).toEqual([0, paths.length]);
  });

  test('lists at most five missing shards, regardless of the claimed number', () => {
    const paths = Array.from({ length: 2_000 }, (_, number) => `m-${number}-00001-of-99999.gguf`);
    const { groups } = selectFiles(sized(paths), {});
    expect(groups[0]).toMatchObject({ missingCount: 99_998, missing: { length: 5 } });
  });
});

describe('the pinned file of a model card', () => {
  const repo = ['Foo-Q4_K_M.gguf', 'Foo-Q8_0.gguf'];
  test('is replaced by the preferred one, with a warning, when the repo does not have it', () => {
    expect(selectFiles(sized(repo), { pin: 'Gone.gguf' })).toMatchObject({
      group: { selector: 'Q4_K_M' },
      warnings: [{ code: 'pin-not-found', pin: 'Gone.gguf', taken: 'Foo-Q4_K_M.gguf' }],
    });
    expect(selectFiles(sized(['m.safetensors']), { pin: 'Gone.gguf' }).warnings).toEqual([{ code: 'pin-not-found', pin: 'Gone.gguf' }]);
  });

  test('is used, and an explicit selector overrides it', () => {
    expect(taken(repo, { pin: 'Foo-Q8_0.gguf' })).toEqual(['Foo-Q8_0.gguf']);
    expect(taken(repo, { pin: 'Foo-Q8_0.gguf', selector: 'Q4_K_M' })).toEqual(['Foo-Q4_K_M.gguf']);
  });
});

test('plain pieces are listed in order, with the name of the joined file', () => {
  const pieces = ['m.Q6_K.gguf.part10of10', ...Array.from({ length: 9 }, (_, index) => `m.Q6_K.gguf.part${index + 1}of10`)];
  const { group } = selectFiles(sized(pieces), {});
  expect(group).toMatchObject({ selector: 'Q6_K', ggufFile: 'm.Q6_K.gguf', cut: 'bytes', missingCount: 0, sizeBytes: 10 });
  expect(group?.files.map(({ path }) => path)).toEqual([...pieces.slice(1), pieces[0]]);
  expect(selectFiles(sized(pieces), { selector: 'm.Q6_K.gguf' }).group).toEqual(group);
});

describe('for any list of files', () => {
  const label = fc.constantFrom('Q4_K_M', 'Q8_0', 'UD-Q4_K_XL', 'IQ4_XS', 'fp16', 'MXFP4', '');
  const base = fc.constantFrom('m', 'M', 'mtp-m', 'imatrix', 'mmproj', 'x-lora', 'Eagle');
  const ending = fc.constantFrom(
    ...[
      '.gguf',
      '-00001-of-00002.gguf',
      '-00002-of-00002.gguf',
      '.gguf.part1of2',
      '.gguf.part2of2',
      '.gguf-split-a',
      '.gguf-split-b',
      '.gguf.001',
    ],
    ...['.safetensors', '.bin', '.json', '.onnx', '.GGUF'],
  );
  const folder = fc.constantFrom('', '', 'Q8_0/', 'sub/', 'original/', 'A/');
  const path = fc
    .tuple(folder, base, label, ending)
    .map(([at, name, of, end]) => `${at}${[name, of].filter((part) => part !== '').join('-')}${end}`);
  const listing = fc.uniqueArray(path, { maxLength: 25 }).map(sized);
  const request = fc.record(
    {
      selector: fc.oneof(label, path),
      pin: path,
      weights: fc.constantFrom('gguf', 'safetensors', 'all'),
      include: fc.array(fc.constantFrom('*', '*Q8*', '*.json', 'A/')),
      exclude: fc.array(fc.constantFrom('*.bin', '*M*', '*-of-00002*')),
      whole: fc.boolean(),
      mmproj: fc.constantFrom('all', 'mmproj.gguf'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<SelectionRequest>;
  const runs = { seed: testSeed, numRuns: rounds({ few: 300, many: 5_000 }) };

  test('every file is selected or skipped exactly once', () => {
    fc.assert(
      fc.property(listing, request, (files, wanted) => {
        const { taken: yes, left: no } = selectFiles(files, wanted);
        expect([...yes, ...no].map(({ file }) => file.path).toSorted()).toEqual(files.map((file) => file.path).toSorted());
      }),
      runs,
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(
        listing.chain((files) => fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length }))),
        request,
        ([files, shuffled], wanted) => {
          const of = (list: typeof files) => {
            const selection = selectFiles(list, wanted);
            return { ...selection, taken: selection.taken.map(({ file }) => file.path).toSorted(), left: undefined };
          };
          expect(of(shuffled)).toEqual(of(files));
        },
      ),
      runs,
    );
  });

  test('a group is selected with all of its files or not at all', () => {
    fc.assert(
      fc.property(listing, request, (files, wanted) => {
        const { taken: yes, groups } = selectFiles(files, wanted);
        const paths = new Set(yes.map(({ file }) => file.path));
        for (const group of groups) {
          const count = group.files.filter((file) => paths.has(file.path)).length;
          expect([0, group.files.length]).toContain(count);
          if (wanted.whole !== true && count > 0) expect([group.missingCount, group.cut === 'unknown']).toEqual([0, false]);
        }
      }),
      runs,
    );
  });

  test('a selector selects its own quantization, and no other GGUF weights', () => {
    fc.assert(
      fc.property(listing, fc.oneof(label, path), (files, selector) => {
        fc.pre(selector !== '');
        const { taken: yes, problem, group, groups } = selectFiles(files, { selector });
        if (problem !== undefined) return;
        const own = new Set(group?.files.map((file) => file.path));
        expect(own.size).toBeGreaterThan(0);
        const others = groups.flatMap((one) => one.files.map((file) => file.path)).filter((one) => !own.has(one));
        for (const { file } of yes) expect(others).not.toContain(file.path);
        const names = [...own, group?.ggufFile ?? ''].join(' ').toLowerCase().replaceAll('fp16', 'f16');
        expect(names).toContain(selector.toLowerCase().replaceAll('fp16', 'f16'));
      }),
      runs,
    );
  });
});

test('each file of a list is examined as often in a long list as in a short one', () => {
  const shapes: readonly ((number: number) => string)[] = [
    (number) => `m-${number}-00001-of-00001.gguf`,
    (number) => `m-Q4_K_M-${String(number).padStart(5, '0')}-of-99999.gguf`,
    (number) => `d${number}/m-Q8_0.gguf`,
    (number) => `d${number}/model.safetensors`,
    (number) => `${'-part'.repeat(40)}${number}.gguf`,
  ];
  for (const shape of shapes) {
    const looksPerFile = (count: number): number => {
      let looks = 0;
      const counted = sized(Array.from({ length: count }, (_, number) => shape(number + 1))).map(
        (file) =>
          new Proxy(file, {
            get: (target, key) => {
              looks += 1;
              return Reflect.get(target, key) as unknown;
            },
          }),
      );
      const { taken: yes, left } = selectFiles(counted, {});
      expect(yes.length + left.length).toBe(count);
      return looks / count;
    };
    // Sorting compares a file log n times. A comparison with every other file would be thousands.
    expect(looksPerFile(2_000)).toBeLessThan(2 * looksPerFile(200));
  }
});
