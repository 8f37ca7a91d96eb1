import { chooseFormats } from './choose-formats.ts';
import { chooseGroup } from './choose-group.ts';
import { type FileKind, kindsOfFiles } from './file-kind.ts';
import { type Group, isBroken, listGroups, type SizedFile } from './groups.ts';
import { makeRules } from './make-rules.ts';
import { matchesGlob } from './matches-glob.ts';
import { pickProjectors } from './pick-projectors.ts';
import { type Problem, problems, type Warning } from './problems.ts';
import { because, type Reason } from './reasons.ts';

/** Which weights of a repo to take; `all` means GGUF and safetensors, without duplicates. */
export type Weights = 'safetensors' | 'gguf' | 'all';

/** A request for files of a repo. Everything is optional; by default the rules choose. */
export interface SelectionRequest {
  /** The repo's id: if it contains GGUF, its GGUF files are preferred. */
  readonly modelId?: string | undefined;
  /** A quantization label (in any case) or a repo-relative path, exactly. If it does not exist, that is a problem. */
  readonly selector?: string | undefined;
  /** Another name of the same quantization. If it names another one, that is a problem. */
  readonly alsoNamed?: string | undefined;
  /** The file in the model's card; only used without a selector. If it does not exist, another one is used with a warning. */
  readonly pin?: string | undefined;
  readonly weights?: Weights | undefined;
  /** Only take files that match one of these patterns, and the selector's. */
  readonly include?: readonly string[] | undefined;
  /** Skip files that match one of these patterns. */
  readonly exclude?: readonly string[] | undefined;
  /** Take every file of the model. */
  readonly whole?: boolean | undefined;
  /** The path or the base name of one projector, or `all`. */
  readonly mmproj?: string | undefined;
}

/** A file, and why it is taken or skipped. */
export interface Choice<F extends SizedFile> {
  readonly file: F;
  readonly why: Reason;
}

/** The selected files of a listing. Every file is either in `taken` or in `left`, in the order of the listing. */
export interface Selection<F extends SizedFile> {
  readonly taken: readonly Choice<F>[];
  readonly left: readonly Choice<F>[];
  /** The selected quantization; undefined if no GGUF weights are taken. */
  readonly group: Group<F> | undefined;
  /** The available quantizations, best choice first. */
  readonly groups: readonly Group<F>[];
  /** Why the request is impossible; then nothing is taken. */
  readonly problem: Problem | undefined;
  readonly warnings: readonly Warning[];
}

/**
 * Selects the files of a model. Pure. The order of the listing only affects the order of the result. The time is proportional to the
 * number of files. Source: docs/hub.md, "Which files of a repo".
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

  // If the selector is itself a projector, no other one is added.
  const isOfWeights = chosen.group === undefined || kinds.get(chosen.group.files[0]?.path ?? '') === 'gguf';
  const offered =
    formats.gguf && (isOfWeights || request.mmproj !== undefined) ? ofKind('projector').filter(({ path }) => !isExcluded(path)) : [];
  const projectors = pickProjectors(offered, { wanted: request.mmproj, group: chosen.group });
  if (request.mmproj !== undefined && projectors.length === 0) return fail(problems.noSuchProjector(request.mmproj, offered));

  const decide = makeRules(listing, request, {
    kinds,
    formats,
    group: chosen.group,
    projectors,
    isExcluded,
    isIncluded: anyOf(request.include),
  });
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
  if (taken.length === 0 && patterns.length > 0)
    return fail(request.include === undefined ? problems.nothingIsLeft(patterns) : problems.nothingMatches(patterns));
  return { taken, left, group: chosen.group ?? whole.taken[0], groups, problem: undefined, warnings };
}

const anyOf =
  (patterns: readonly string[] = []) =>
  (path: string): boolean =>
    patterns.some((pattern) => matchesGlob(path, pattern));

/** The groups with all files taken, or the first group that the patterns cut. */
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
