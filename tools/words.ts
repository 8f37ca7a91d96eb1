/** A word or a phrase that must not be in a text for people, and its replacement. */
interface ForbiddenPhrase {
  readonly pattern: RegExp;
  readonly advice: string;
}

/** The list of CONTRIBUTING.md ("Words"), as patterns. */
const forbiddenPhrases: readonly ForbiddenPhrase[] = [
  { pattern: /\bwhoever\b/i, advice: '"anyone who"' },
  { pattern: /\bmend(?:s|ed|ing)?\b/i, advice: '"repair", "fix" or "correct"' },
  { pattern: /\btold\b/i, advice: '"reported" or "notified"' },
  { pattern: /\bheard?s?\b/i, advice: '"receives" or "finds"' },
  { pattern: /\bskim(?:s|med|ming)?\b/i, advice: '"read" or "check"' },
  { pattern: /\bjudg(?:e|es|ed|ing)\b/i, advice: '"decide" or "check"' },
  { pattern: /\b(?:go|goes|went|going) on\b/i, advice: '"continues" or "resumes"' },
  { pattern: /(?<!there )\b(?:is|are|was) none\b/i, advice: '"is not a …" or "must be …"' },
  { pattern: /(?<!\b[Tt]here )\b(?:is|are|was) no (?!longer\b|more than\b)[a-z]/, advice: '"is not a …"' },
  { pattern: /\bobey(?:s|ed)?\b/i, advice: '"follow" or "apply"' },
  { pattern: /\bstands? (?:for|in|outside|on|there)\b/i, advice: '"is" or "means"' },
  { pattern: /\b(?:it|they|that|files?|copy|copies|directory|models?|store) lies?\b/i, advice: '"is"' },
  { pattern: /\bleaves? (?:it|them|one|either|--\S+) out\b/i, advice: '"omit"' },
  { pattern: /\b(?:bring|brings|brought) (?:\S+ )?(?:in|into)\b/i, advice: '"add"' },
  { pattern: /\bwhat (?:came|has come)\b/i, advice: '"downloaded data" or "received data"' },
  { pattern: /\bfor want of\b|\bheld against\b|\bgives? (?:it|them) back\b/i, advice: 'plain words' },
  // Inversions: a sentence begins with its subject.
  { pattern: /\bnor (?:is|are|was|does|do|did|can|may|will)\b/i, advice: 'a second sentence with its own subject' },
  { pattern: /\b(?:and|or) so (?:is|are|was|does|do|can|may|must)\b/i, advice: 'the subject first' },
  {
    pattern: /(?:^|[.:;] )(?:Never|Nowhere|Only then|Not until|Neither) (?:is|are|was|does|do|did|can|may|will)\b/,
    advice: 'the subject first',
  },
  {
    pattern: /(?:^|[.:;] )(?:Of|To|By|In|From) (?:it|them|these|those|this) (?:is|are|was|does|do|can|may)\b/,
    advice: 'the subject first',
  },
];

/** The problems with the words of a text, a sentence for each phrase; empty if there are none. */
export const findPhrases = (text: string): readonly string[] =>
  forbiddenPhrases.flatMap(({ pattern, advice }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`"${found[0].trim()}": write ${advice}`];
  });
