import { quote, quoteSome } from '../../kernel/files/relative-path.ts';
import type { FileKind } from '../selection/file-kind.ts';
import { listGroups, type SizedFile } from '../selection/groups.ts';
import { type Finding, incomplete } from './finding.ts';

/** A problem of a model's file. */
export interface ContentProblem extends Finding {
  readonly path: string;
}

/** Reads the files in an index of shards; undefined for an invalid index. */
export type ReadIndex = (path: string) => readonly string[] | undefined;

const shard = /^(.*)-(\d{5})-of-(\d{5})(\.(?:safetensors|bin))$/i;
const indexOfShards = /\.(?:safetensors|bin)\.index\.json$/i;
const maxNamed = 3;

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Finds missing files of a model by the names of its files and by its indexes. Pure except for `readIndex`. */
export function problemsOfList(
  files: readonly SizedFile[],
  kinds: ReadonlyMap<string, FileKind>,
  readIndex: ReadIndex,
): readonly ContentProblem[] {
  const here = new Set(files.map(({ path }) => path));
  const hasSafetensors = [...kinds.values()].includes('safetensors');
  const named = new Set<string>();
  const problems: ContentProblem[] = [];
  for (const { path } of files) {
    if (!indexOfShards.test(path)) continue;
    // PyTorch weights may be absent on purpose, because safetensors has the same; and programs prefer a single file to an index of
    // shards.
    const single = path.replace(/\.index\.json$/i, '');
    if ((hasSafetensors && /\.bin\.index\.json$/i.test(path)) || here.has(single)) continue;
    const shards = readIndex(path);
    if (shards === undefined) {
      problems.push({ path, ...incomplete('it cannot be read as an index of shards') });
      continue;
    }
    const paths = shards.map((name) => `${folderOf(path)}${name}`);
    for (const one of paths) named.add(one);
    const missing = paths.filter((one) => !here.has(one));
    if (missing.length > 0) problems.push({ path, ...incomplete(`it names ${describeMissing(missing, missing.length)}`) });
  }
  return [...problems, ...holesInShards(files, named), ...holesInGroups(files, kinds)];
}

const describeMissing = (missing: readonly string[], count: number): string => {
  const more = count - Math.min(maxNamed, missing.length);
  return `${quoteSome(missing.slice(0, maxNamed))}${more > 0 ? ` and ${more} more` : ''}, which ${count === 1 ? 'is' : 'are'} missing`;
};

/** Numbered shards with gaps that no index has reported already. */
function holesInShards(files: readonly SizedFile[], named: ReadonlySet<string>): readonly ContentProblem[] {
  const groups = new Map<string, { readonly first: string; readonly numbers: Set<number>; readonly match: RegExpExecArray }>();
  for (const { path } of files) {
    const match = shard.exec(path);
    if (match === null || named.has(path)) continue;
    const [, base = '', number = '', count = '', ending = ''] = match;
    const key = [base, count, ending].join('\0');
    const group = groups.get(key) ?? { first: path, numbers: new Set<number>(), match };
    group.numbers.add(Number(number));
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ first, numbers, match: [, base = '', , count = '', ending = ''] }) => {
    const from = numbers.has(0) ? 0 : 1;
    const missing: string[] = [];
    const lacking = Number(count) - numbers.size;
    for (let number = from; number < from + Number(count) && missing.length < maxNamed; number += 1)
      if (!numbers.has(number)) missing.push(`${base}-${String(number).padStart(5, '0')}-of-${count}${ending}`);
    return lacking > 0 ? [{ path: first, ...incomplete(`it belongs with ${describeMissing(missing, lacking)}`) }] : [];
  });
}

function holesInGroups(files: readonly SizedFile[], kinds: ReadonlyMap<string, FileKind>): readonly ContentProblem[] {
  return listGroups(files, kinds).flatMap(({ files: [first], ggufFile, cut, missing, missingCount }) => {
    if (first === undefined) return [];
    const { path } = first;
    if (missingCount > 0) return [{ path, ...incomplete(`it belongs with ${describeMissing(missing, missingCount)}`) }];
    if (cut === 'bytes')
      return [{ path, ...incomplete(`it is a part of ${quote(ggufFile)}; programs cannot load parts, so join them in order`) }];
    return cut === 'unknown'
      ? [{ path, ...incomplete('it is a part of a file that was split in an unknown way; no program can load it') }]
      : [];
  });
}
