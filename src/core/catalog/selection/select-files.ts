import { chooseFormats } from './choose-formats.ts';
import { chooseGroup } from './choose-group.ts';
import { type FileKind, kindsOfFiles } from './file-kind.ts';
import { type Group, isBroken, listGroups, type SizedFile } from './groups.ts';
import { makeRules } from './make-rules.ts';
import { matchesGlob } from './matches-glob.ts';
import { pickProjectors } from './pick-projectors.ts';
import { type Problem, problems, type Warning } from './problems.ts';
import { because, type Reason } from './reasons.ts';

/** Which weights of a repo are wanted; `all` is GGUF and safetensors, not what is there twice. */
export type Weights = 'safetensors' | 'gguf' | 'all';

/** What somebody wants of a repo. Everything is optional; with nothing the rules choose. */
export interface SelectionRequest {
  /** The repo's id: one that says GGUF wants its GGUF files. */
  readonly modelId?: string | undefined;
  /** A quantization label (any case) or a repo-relative path, exactly. What is not there is a problem. */
  readonly selector?: string | undefined;
  /** What the model's card names; counts without a selector, and falls back with a warning when it is not there. */
  readonly pin?: string | undefined;
  readonly weights?: Weights | undefined;
  /** Take only what one of these patterns matches, and what the selector names. */
  readonly include?: readonly string[] | undefined;
  /** Leave out what one of these patterns matches. */
  readonly exclude?: readonly string[] | undefined;
  /** Every file of the model, whatever it is. */
  readonly whole?: boolean | undefined;
  /** The path or the base name of one projector, or `all`. */
  readonly mmproj?: string | undefined;
}

/** A file, and why it is taken or left. */
export interface Choice<F extends SizedFile> {
  readonly file: F;
  readonly why: Reason;
}

/** Which files of a listing make the model. Every file is in `taken` or in `left`, exactly once, in the order of the listing. */
export interface Selection<F extends SizedFile> {
  readonly taken: readonly Choice<F>[];
  readonly left: readonly Choice<F>[];
  /** The quantization that was chosen; undefined when no GGUF weights are taken. */
  readonly group: Group<F> | undefined;
  /** What there is to choose from, best choice first. */
  readonly groups: readonly Group<F>[];
  /** Why the request cannot be fulfilled; nothing is taken then. */
  readonly problem: Problem | undefined;
  readonly warnings: readonly Warning[];
}

/**
 * Chooses the files of a model. Pure; the order of the listing decides the order of the answer and nothing else. Time grows in
 * proportion to the number of files. Source: docs/hub.md, "Which files of a repo".
 */
export function selectFiles<F extends SizedFile>(listing: readonly F[], request: SelectionRequest): Selection<F> {
  const kinds = kindsOfFiles(listing);
  const ofKind = (kind: FileKind): readonly F[] => listing.filter(({ path }) => kinds.get(path) === kind);
  const groups = listGroups(listing, kinds);
  const warnings: Warning[] = [];
  const fail = (problem: Problem): Selection<F> => ({
    taken: [],
    left: listing.map((file) => ({ file, why: because('refused') })),
    group: undefined,
    groups,
    problem,
    warnings,
  });

  const isExcluded = anyOf(request.exclude);
  const formats = chooseFormats(request, { kinds, groups, isExcluded });
  if ('problem' in formats) return fail(formats.problem);
  const chosen = chooseGroup(listing, groups, { ...request, formats, isExcluded });
  if ('problem' in chosen) return fail(chosen.problem);
  if (chosen.warning !== undefined) warnings.push(chosen.warning);

  // Who names a projector itself wants no other one with it.
  const isOfWeights = chosen.group === undefined || kinds.get(chosen.group.files[0]?.path ?? '') === 'gguf';
  const offered =
    formats.gguf && (isOfWeights || request.mmproj !== undefined) ? ofKind('projector').filter(({ path }) => !isExcluded(path)) : [];
  const projectors = pickProjectors(offered, { wanted: request.mmproj, group: chosen.group });
  if (request.mmproj !== undefined && projectors.length === 0) return fail(problems.noSuchProjector(request.mmproj, offered));

  const decide = makeRules(request, { kinds, formats, group: chosen.group, projectors, isExcluded, isIncluded: anyOf(request.include) });
  const taken: Choice<F>[] = [];
  const left: Choice<F>[] = [];
  for (const file of listing) {
    const { isTaken, why } = decide(file);
    (isTaken ? taken : left).push({ file, why });
  }
  const whole = findWhole(groups, taken);
  if ('halved' in whole) return fail(problems.halfAGroup(whole.halved));
  const broken = request.whole === true ? undefined : whole.taken.find(isBroken);
  if (broken !== undefined) return fail(problems.broken(broken, groups));
  const patterns = [...(request.include ?? []), ...(request.exclude ?? [])];
  if (taken.length === 0 && patterns.length > 0) return fail(problems.nothingMatches(patterns));
  return { taken, left, group: chosen.group ?? whole.taken[0], groups, problem: undefined, warnings };
}

const anyOf =
  (patterns: readonly string[] = []) =>
  (path: string): boolean =>
    patterns.some((pattern) => matchesGlob(path, pattern));

/** The groups that are taken with all their files, or the first of which the patterns take only some. */
function findWhole<F extends SizedFile>(
  groups: readonly Group<F>[],
  choices: readonly Choice<F>[],
): { readonly taken: readonly Group<F>[] } | { readonly halved: Group<F> } {
  const paths = new Set(choices.map(({ file }) => file.path));
  const taken: Group<F>[] = [];
  for (const group of groups) {
    const count = group.files.filter(({ path }) => paths.has(path)).length;
    if (count > 0 && count < group.files.length) return { halved: group };
    if (count > 0) taken.push(group);
  }
  return { taken };
}
