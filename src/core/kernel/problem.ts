import type { ErrorObject } from 'ajv';

/** One problem of a value. */
export interface Problem {
  /** The keys that lead to the problem: `['model_store', 'store_port']`. */
  readonly path: readonly string[];
  /** The requirement, as the continuation of the key's name: `must be an integer`. */
  readonly message: string;
  /** The unknown key, if that is the problem. */
  readonly unknownKey?: string;
}

/** Converts the validator's errors to problems; empty if it had none. */
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
