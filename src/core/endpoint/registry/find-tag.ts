import { findGroup } from '../../catalog/selection/find-group.ts';
import { fold, type Group, isBroken, isLoadable, listGroups, pickLoadable, type SizedFile } from '../../catalog/selection/groups.ts';

/** The syntax of a tag in registries and in Ollama. Source: OCI Distribution, "pulling manifests"; Ollama's types/model/name.go. */
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Finds the quantization of a model for a tag: a label in any case, the name of a file with or without `.gguf`, or `latest`. A label may
 * be a part of a name between `-`, `.` and `_`; of several matching names the shortest is used. Only complete groups that a program can
 * load match. Pure.
 * @param pin the file in the model's card, which `latest` prefers
 * @returns undefined if nothing matches the tag
 */
export function findTag<F extends SizedFile>(files: readonly F[], tag: string, pin?: string): Group<F> | undefined {
  if (!tagPattern.test(tag)) return undefined;
  const groups = listGroups(files).filter((group) => isLoadable(group) && !isBroken(group));
  if (fold(tag) === 'latest') return groups.find((group) => group.files.some(({ path }) => path === pin)) ?? pickLoadable(groups);
  const wanted = fold(tag).replace(/\.gguf$/, '');
  const named = groups.filter((group) => group.files.some(({ path }) => stemOf(path) === wanted) || stemOf(wholeOf(group)) === wanted);
  if (named.length > 0) return shortest(named);
  const found = findGroup(files, tag, groups);
  if (found.state === 'found') return found.group;
  return shortest(groups.filter((group) => hasToken(stemOf(wholeOf(group)), wanted)));
}

const stemOf = (path: string): string => fold(path.slice(path.lastIndexOf('/') + 1)).replace(/\.gguf$/, '');
/** The path of a group as if it had not been split. */
const wholeOf = ({ ggufFile, cut }: Group): string => (cut === 'shards' ? ggufFile.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, '') : ggufFile);

/** Whether a name contains a text with nothing, or one of `-._`, on both sides. */
function hasToken(name: string, token: string): boolean {
  const isBorder = (at: number): boolean => at < 0 || at >= name.length || '-._'.includes(name[at] ?? '');
  for (let at = name.indexOf(token); at !== -1; at = name.indexOf(token, at + 1))
    if (isBorder(at - 1) && isBorder(at + token.length)) return true;
  return false;
}

function shortest<F extends SizedFile>(groups: readonly Group<F>[]): Group<F> | undefined {
  const lengthOf = (group: Group<F>): number => stemOf(wholeOf(group)).length;
  return groups.toSorted((a, b) => lengthOf(a) - lengthOf(b) || (a.ggufFile < b.ggufFile ? -1 : 1))[0];
}
