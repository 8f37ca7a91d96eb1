import { fold, type Group, groupFiles, isBroken, listGroups, type SizedFile, withoutCopies } from './groups.ts';
import { parseLabel } from './label.ts';
import type { Cut } from './split-name.ts';

/** The result for a selector. */
export type Found<F extends SizedFile> =
  | { readonly state: 'found'; readonly group: Group<F> }
  | { readonly state: 'none' }
  /** Several groups have that label, so only a path is unique. */
  | { readonly state: 'ambiguous'; readonly groups: readonly Group<F>[] };

/**
 * Finds the group of a listing for a selector. A label selects weights; a path can also select another GGUF file, such as a draft model.
 */
export function findGroup<F extends SizedFile>(
  listing: readonly F[],
  selector: string,
  groups: readonly Group<F>[] = listGroups(listing),
): Found<F> {
  const found = findAmong(groups, selector);
  if (found.state !== 'none' || !/\.gguf/i.test(selector)) return found;
  const other = groupFiles(listing).find(({ files }) => files.some(({ path }) => path === selector));
  // It has no label, so its path is its selector.
  return other === undefined ? found : { state: 'found', group: { ...other, selector } };
}

/**
 * Finds the group for a selector: the path of any of its files, a label (in any case), or a complete folder or base name. The match is
 * exact: `Q4_K` does not match `Q4_K_M`, and `Q4_K_XL` does not match `UD-Q4_K_XL`. Of two groups with the same label, a complete one has
 * priority.
 */
function findAmong<F extends SizedFile>(groups: readonly Group<F>[], selector: string): Found<F> {
  const byPath = groups.find(({ files }) => files.some(({ path }) => path === selector)) ?? groups.find((one) => one.ggufFile === selector);
  if (byPath !== undefined) return { state: 'found', group: byPath };
  const wanted = fold(selector);
  const label = parseLabel(selector);
  const rules: readonly ((group: Group<F>) => boolean)[] = [
    ({ label: own }) => label !== undefined && own?.text === label.text && own.mark === label.mark,
    // `Q4_K_M` selects `i1-Q4_K_M` if there is no other.
    ({ label: own }) => label !== undefined && label.mark === undefined && own?.text === label.text,
    ({ label: own, ggufFile }) => own === undefined && folderOf(ggufFile) === wanted,
    // Names that contain more than a label; a label itself must match exactly.
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
