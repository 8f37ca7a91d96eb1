/**
 * Whether a path matches a pattern of `hf download --include`: `*` matches anything, including `/`; `?` is one character, `[ab]` and
 * `[!ab]` one of a set; `dir/` is everything below it. Case-sensitive. The time is at most proportional to the product of both lengths.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  const tokens = tokenize(pattern.endsWith('/') ? `${pattern}*` : pattern);
  const characters = [...path];
  let [at, token] = [0, 0];
  /** The position of the last star, and how much it has matched. */
  let [star, taken] = [-1, 0];
  while (at < characters.length) {
    const now = tokens[token];
    if (now === '*') {
      [star, taken] = [token, at];
      token += 1;
    } else if (now?.(characters[at] ?? '') === true) {
      at += 1;
      token += 1;
    } else if (star !== -1) {
      taken += 1;
      [at, token] = [taken, star + 1];
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

type Token = '*' | ((character: string) => boolean);

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [text, set] of pattern.matchAll(/\[(!?\]?[^\]]*)\]|[\s\S]/gu)) {
    if (text === '*') tokens.push('*');
    else if (text === '?') tokens.push(() => true);
    else if (set === undefined) tokens.push((character) => character === text);
    else tokens.push(isInSet(set));
  }
  return tokens;
}

function isInSet(set: string): (character: string) => boolean {
  const isNegated = set.startsWith('!');
  const members = [...(isNegated ? set.slice(1) : set)];
  const has = (character: string): boolean =>
    members.some((member, index) => {
      const end = members[index + 2];
      if (members[index + 1] === '-' && end !== undefined) return member <= character && character <= end;
      return member === character;
    });
  return (character) => has(character) !== isNegated;
}
