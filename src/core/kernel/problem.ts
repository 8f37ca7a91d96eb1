import type { ErrorObject } from 'ajv';
import { messageOfPattern } from './text-format.ts';

/** One problem of a value. */
export interface Problem {
  /** The keys that lead to the problem: `['model_store', 'store_port']`. */
  readonly path: readonly string[];
  /** The requirement, as the continuation of the key's name: `must be an integer`. */
  readonly message: string;
  /** The unknown key, if that is the problem. */
  readonly unknownKey?: string;
}

/** Converts the validator's errors to problems; empty if it had none. If no kind of several fits a value, that is one problem. */
export function toProblems(errors: readonly ErrorObject[] | null | undefined): readonly Problem[] {
  const all = errors ?? [];
  const kindsOf = ({ keyword, instancePath, schemaPath }: ErrorObject): readonly ErrorObject[] =>
    keyword !== 'anyOf' ? [] : all.filter((one) => one.instancePath === instancePath && one.schemaPath.startsWith(`${schemaPath}/`));
  const parts = new Set(all.flatMap(kindsOf));
  return all
    .filter((one) => !parts.has(one))
    .map((one) => {
      const messages = new Set(kindsOf(one).map((part) => toProblem(part).message));
      return messages.size === 0 ? toProblem(one) : { ...toProblem(one), message: inOne([...messages]) };
    });
}

/** `must be an integer or a size`. */
const inOne = ([first = '', ...more]: readonly string[]): string => {
  const isSameVerb = [first, ...more].every((message) => message.startsWith('must be '));
  return [first, ...more.map((message) => (isSameVerb ? message.slice('must be '.length) : message))].join(' or ');
};

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
  if (keyword === 'minLength') {
    const limit = Number(params['limit']);
    return { path, message: limit === 1 ? 'must not be empty' : `must have at least ${limit} characters` };
  }
  if (keyword === 'maxLength') return { path, message: `must have at most ${String(params['limit'])} characters` };
  if (keyword === 'required') return { path: [...path, String(params['missingProperty'])], message: 'is missing' };
  // Only ports have this limit.
  if (keyword === 'maximum' && params['limit'] === 65_535) return { path, message: 'must be a port from 1 to 65535' };
  if (keyword === 'pattern') return { path, message: messageOfPattern(String(params['pattern'])) ?? message };
  const article = /^must be (?=[aeiou])/.test(message) ? 'must be an ' : message === 'must be null' ? 'must be ' : 'must be a ';
  return { path, message: keyword === 'type' ? message.replace(/^must be /, article) : message };
}
