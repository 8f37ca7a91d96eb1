import type { ErrorObject } from 'ajv';

/** One thing that is wrong with a value. */
export interface Problem {
  /** Where it is, as the keys on the way: `['model_store', 'store_port']`. */
  readonly path: readonly string[];
  /** What it should be, to follow the key's name: `must be an integer`. */
  readonly message: string;
  /** The key that nothing knows, when that is the problem. */
  readonly unknownKey?: string;
}

/** The validator's errors as problems; none when it had none. */
export const toProblems = (errors: readonly ErrorObject[] | null | undefined): readonly Problem[] => (errors ?? []).map(toProblem);

function toProblem({ keyword, instancePath, params, message = 'is not valid' }: ErrorObject): Problem {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keyword === 'additionalProperties') {
    const unknownKey = String(params['additionalProperty']);
    return { path: [...path, unknownKey], message: 'is not known', unknownKey };
  }
  if (keyword === 'enum')
    return { path, message: `must be one of ${(params['allowedValues'] as readonly unknown[]).map(String).join(', ')}` };
  const article = /^must be (?=[aeiou])/.test(message) ? 'must be an ' : 'must be a ';
  return { path, message: keyword === 'type' ? message.replace(/^must be /, article) : message };
}
