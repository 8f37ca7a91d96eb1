import { ApiError } from '../../api/api-error.ts';
import { toSentence } from '../../parts/to-sentence.ts';
import type { SettingKey, SettingValue } from './keys.ts';

type Changes = ReadonlyMap<SettingKey, SettingValue>;

/**
 * Finds the changes that the server would refuse, and the reasons. Together they may be valid although one alone is not (two ports that are
 * swapped), so all are tried first. A problem of the combination is shown at the last change.
 * @param check rejects with an ApiError of status 400 for invalid values
 */
export async function findProblems(changes: Changes, check: (some: Changes) => Promise<unknown>): Promise<ReadonlyMap<SettingKey, string>> {
  const refusalOf = async (some: Changes): Promise<string | undefined> => {
    try {
      await check(some);
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) return sentenceOf(error);
      throw error;
    }
  };
  const together = changes.size === 0 ? undefined : await refusalOf(changes);
  if (together === undefined) return new Map();
  const problems = new Map<SettingKey, string>();
  for (const [key, value] of changes) {
    const alone = changes.size === 1 ? together : await refusalOf(new Map([[key, value]]));
    if (alone !== undefined) problems.set(key, alone);
  }
  const last = [...changes.keys()].at(-1);
  if (problems.size === 0 && last !== undefined) problems.set(last, together);
  return problems;
}

/** The server names the file and the line, for users who edit the file. */
function sentenceOf({ message, hint }: ApiError): string {
  const sentence = message.replace(/^\S+?:\d+: /, '').replace(/\.?$/, '.');
  return hint === null ? sentence : `${sentence} ${toSentence(hint)}`;
}
