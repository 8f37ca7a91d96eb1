import { fold, type Group, groupFiles, isBroken, listGroups, type SizedFile, withoutCopies } from './groups.ts';
import { parseLabel } from './label.ts';
import type { Cut } from './split-name.ts';

/** What a selector names. */
export type Found<F extends SizedFile> =
  | { readonly state: 'found'; readonly group: Group<F> }
  | { readonly state: 'none' }
  /** Several have that label, so that only a path tells them apart. */
  | { readonly state: 'ambiguous'; readonly groups: readonly Group<F>[] };

/**
 * The group of a listing that a selector names: a label names weights, a path also a GGUF file that is none, such as a draft model.
 */
export function findGroup<F extends SizedFile>(
  listing: readonly F[],
  selector: string,
  groups: readonly Group<F>[] = listGroups(listing),
): Found<F> {
  const found = findAmong(groups, selector);
  if (found.state !== 'none' || !/\.gguf/i.test(selector)) return found;
  const other = groupFiles(listing).find(({ files }) => files.some(({ path }) => path === selector));
  // It has no label to be named by, so it goes by its path.
  return other === undefined ? found : { state: 'found', group: { ...other, selector } };
}

/**
 * The group that a selector names: the path of any of its files, or a label (any case), or a folder or a base name whole. Exact: `Q4_K`
 * does not name `Q4_K_M`, nor `Q4_K_XL` `UD-Q4_K_XL`. Of two with the same label a whole one is preferred to a broken one.
 */
function findAmong<F extends SizedFile>(groups: readonly Group<F>[], selector: string): Found<F> {
  const byPath = groups.find(({ files }) => files.some(({ path }) => path === selector)) ?? groups.find((one) => one.ggufFile === selector);
  if (byPath !== undefined) return { state: 'found', group: byPath };
  const wanted = fold(selector);
  const label = parseLabel(selector);
  const rules: readonly ((group: Group<F>) => boolean)[] = [
    ({ label: own }) => label !== undefined && own?.text === label.text && own.mark === label.mark,
    // `Q4_K_M` names `i1-Q4_K_M` where there is no other.
    ({ label: own }) => label !== undefined && label.mark === undefined && own?.text === label.text,
    ({ label: own, ggufFile }) => own === undefined && folderOf(ggufFile) === wanted,
    // Names that say more than a label, which would say it exactly.
    ({ ggufFile }) => label === undefined && folderOf(ggufFile) === wanted,
    ({ ggufFile, cut }) => label === undefined && stemOf(ggufFile, cut) === wanted,
  ];
  for (const rule of rules) {
    const matches = withoutCopies(groups).filter(rule);
    const whole = matches.filter((group) => !isBroken(group));
    const [group, ...others] = whole.length > 0 ? whole : matches;
    if (group === undefined) continue;
    return others.length === 0 ? { state: 'found', group } : { state: 'ambiguous', groups: [group, ...others] };
  }
  return { state: 'none' };
}

const folderOf = (path: string): string => fold(path.split('/').at(-2) ?? '');
const stemOf = (path: string, cut: Cut): string =>
  fold(path.slice(path.lastIndexOf('/') + 1)).replace(cut === 'shards' ? /-\d{5}-of-\d{5}\.gguf$/ : /\.gguf$/, '');
