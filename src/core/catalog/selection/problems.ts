import { quote, quoteSome } from '../../kernel/files/relative-path.ts';
import type { Group, SizedFile } from './groups.ts';

/** Why a request is impossible. */
export interface Problem {
  readonly code:
    | 'no-such-selection'
    | 'ambiguous-selector'
    | 'missing-shards'
    | 'unknown-cut'
    | 'half-a-group'
    | 'no-such-projector'
    | 'no-such-weights'
    | 'nothing-matches'
    | 'contradiction';
  /** Follows the name of the model: `has no Q6_K`. */
  readonly message: string;
  readonly hint: string;
}

/** A deviation from what the card says. */
export interface Warning {
  readonly code: 'pin-not-found';
  /** The file in the card. */
  readonly pin: string;
  /** The file taken instead. */
  readonly taken: string | undefined;
}

const maxNamed = 20;

/** The available choices, in words. */
export function describeGroups(groups: readonly Group[]): string {
  if (groups.length === 0) return 'it has no GGUF weights';
  const names = groups.slice(0, maxNamed).map(({ selector }) => (/^[\w.-]+$/.test(selector) ? selector : quote(selector)));
  return `it has ${names.join(', ')}${groups.length > maxNamed ? ` and ${groups.length - maxNamed} more` : ''}`;
}

const make = (code: Problem['code'], message: string, hint: string): Problem => ({ code, message, hint });
const shown = (selector: string): string => (/^[\w.-]+$/.test(selector) ? selector : quote(selector));

/** The sentences of every problem. */
export const problems = {
  noSuchSelection: (selector: string, groups: readonly Group[]) =>
    make('no-such-selection', `has no ${shown(selector)}`, describeGroups(groups)),
  ambiguousSelector: (selector: string, groups: readonly Group[]) =>
    make(
      'ambiguous-selector',
      `has ${groups.length} files that are called ${shown(selector)}`,
      `name one of them: ${quoteSome(groups.map((group) => group.selector))}`,
    ),
  broken: (group: Group, groups: readonly Group[]) => {
    const others = groups.filter(({ selector }) => selector !== group.selector);
    const hint = others.length === 0 ? 'ask its author to complete the repo' : `name another one: ${describeGroups(others)}`;
    if (group.cut === 'unknown')
      return make(
        'unknown-cut',
        `has ${shown(group.selector)} only in pieces (${quoteSome(group.files.map(({ path }) => path))}) of an unknown kind, which skulk cannot join`,
        hint,
      );
    const more = group.missingCount - group.missing.length;
    return make(
      'missing-shards',
      `lacks ${group.missing.map(quote).join(', ')}${more > 0 ? ` and ${more} more` : ''} of ${shown(group.selector)}`,
      hint,
    );
  },
  halfAGroup: ({ selector, files }: Group) =>
    make(
      'half-a-group',
      `has ${shown(selector)} in ${files.length} files, and the patterns match only some of them`,
      'a quantization needs all its files: change --include or --exclude',
    ),
  noSuchProjector: (wanted: string, projectors: readonly SizedFile[]) =>
    make(
      'no-such-projector',
      wanted === 'all' ? 'has no projector' : `has no projector ${shown(wanted)}`,
      projectors.length === 0 ? 'omit --mmproj' : `its projectors are ${quoteSome(projectors.map(({ path }) => path).toSorted())}`,
    ),
  noSuchWeights: (format: 'safetensors' | 'gguf') =>
    make('no-such-weights', `has no ${format === 'gguf' ? 'GGUF' : 'safetensors'} weights`, 'omit --weights'),
  nothingIsLeft: (patterns: readonly string[]) =>
    make('nothing-matches', `has no file besides those that match ${quoteSome(patterns)}`, 'change --exclude; * also matches /'),
  nothingMatches: (patterns: readonly string[]) =>
    make(
      'nothing-matches',
      `has no file that matches ${quoteSome(patterns)}`,
      'patterns work as in `hf download`: * also matches /, and case matters',
    ),
  selectorIsExcluded: (selector: string) =>
    make('contradiction', `has ${shown(selector)}, but --exclude skips it`, 'change the pattern, or name another quantization'),
  twoSelectors: (selector: string, other: string) =>
    make('contradiction', `has ${shown(other)} in another file than ${shown(selector)}`, 'name only one of them'),
  selectorOfSafetensors: (selector: string) =>
    make('contradiction', `cannot be downloaded both as safetensors and as ${shown(selector)}`, 'omit --weights or the selector'),
};
