import { Type } from 'typebox';
import { parse } from 'yaml';
import { SkulkError } from '../kernel/errors.ts';
import { changeSettingsText, parseSettingsText, readSettingsText, type SettingsFile } from './settings-document.ts';

/** What the LAN may do without a token. */
export type Lan = 'node' | 'read' | 'none';

/** Settings of a store that skulk.yaml does not have; `<store_path>/.skulk/v1/policy.yaml`. */
export interface Policy {
  readonly lan: Lan;
  /** Names under which the store host may be asked, beside its own. */
  readonly serverNames: readonly string[];
}

/** What applies where the file says nothing. */
export const defaultPolicy: Policy = { lan: 'node', serverNames: [] };

/** The policy of a store, as its file has it. */
export const policySchema = Type.Object(
  {
    lan: Type.Optional(
      Type.Enum(['node', 'read', 'none'], {
        default: 'node',
        description: 'What the LAN may do without a token: stage and change models (node), look and fetch (read), or nothing (none).',
      }),
    ),
    server_names: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._-]+$' }), {
        maxItems: 100,
        default: [],
        description: 'Names under which the store may be asked, beside its own: those of a proxy, for example.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The keys of the policy, in order. */
export const policyKeys: readonly string[] = Object.keys(policySchema.properties);

const policyFile = (path: string): SettingsFile<Policy> => ({
  path,
  schema: policySchema,
  read: ({ lan, server_names }) => ({
    lan: (lan as Lan | undefined) ?? defaultPolicy.lan,
    serverNames: (server_names as string[] | undefined) ?? defaultPolicy.serverNames,
  }),
});

/** A policy and which of its keys the file says. */
export interface ReadPolicy {
  readonly policy: Policy;
  readonly given: readonly string[];
}

/**
 * Reads a policy; undefined when there is no file.
 * @throws SkulkError CONFIG naming the file, the line and the key
 */
export async function readPolicy(path: string): Promise<ReadPolicy | undefined> {
  const text = await readSettingsText(path);
  if (text === undefined) return undefined;
  const file = policyFile(path);
  const given: string[] = [];
  const policy = await parseSettingsText(text, {
    ...file,
    read: (content) => {
      given.push(...Object.keys(content));
      return file.read(content);
    },
  });
  return { policy, given };
}

/**
 * The text of a policy file with some values changed. Comments stay.
 * @param text undefined when there is no file yet
 * @param changes nested as in the file; null takes a key out
 * @throws SkulkError CONFIG when the result would not be valid
 */
export async function changePolicyText(
  text: string | undefined,
  path: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<string> {
  const entries = leavesOf(changes, []).map(([keys, value]) => [keys, value === null ? undefined : value] as const);
  return (await changeSettingsText(text ?? '', entries, policyFile(path))).text;
}

/**
 * A value of the policy as somebody types it: YAML, a list also with commas; `default` brings the default back (null).
 * @throws SkulkError BAD_REQUEST
 */
export function parsePolicyValue(key: string, text: string): unknown {
  if (text === 'default') return null;
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new SkulkError('BAD_REQUEST', `${JSON.stringify(text.slice(0, 80))} is not a value`, {
      hint: 'e.g. `skulk policy set lan read`',
      cause,
    });
  }
  if (key !== 'server_names' || typeof value !== 'string') return value;
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function leavesOf(
  changes: Readonly<Record<string, unknown>>,
  above: readonly string[],
): readonly (readonly [keys: readonly string[], value: unknown])[] {
  return Object.entries(changes).flatMap(([key, value]) => {
    const keys = [...above, key];
    const isTree = typeof value === 'object' && value !== null && !Array.isArray(value);
    // No setting lies deeper.
    return isTree && keys.length < 3 ? leavesOf(value as Record<string, unknown>, keys) : [[keys, value] as const];
  });
}
