import { Type } from 'typebox';
import { parse } from 'yaml';
import { SkulkError } from '../kernel/errors.ts';
import { textFormats } from '../kernel/text-format.ts';
import { parseByteCount } from '../kernel/units.ts';
import { changeSettingsText, parseSettingsText, readSettingsText, type SettingsFile } from './settings-document.ts';
import {
  defaultHubPolicy,
  defaultSwarmPolicy,
  type HubPolicy,
  hubPolicySchema,
  readHubPolicy,
  readSwarmPolicy,
  type SwarmPolicy,
  swarmPolicySchema,
} from './sharing-policy.ts';

/** The rights of the LAN without a token. */
export type Lan = 'node' | 'read' | 'none';

/** The limits of a store; changes apply at once. */
export interface PolicyLimits {
  /** A node without a copy is removed after this many days without a report; one with copies after the second number. */
  readonly forgetNodesAfterDays: number;
  readonly forgetNodesWithCopiesAfterDays: number;
  /** The maximum number of uploads at the same time. */
  readonly openUploads: number;
  /** An upload without data for this many days is removed. */
  readonly uploadIdleDays: number;
}

/** Settings of a store that are not in skulk.yaml; `<store_path>/.skulk/v1/policy.yaml`. */
export interface Policy {
  readonly lan: Lan;
  /** Accepted names of the store host in requests, beside its own. */
  readonly serverNames: readonly string[];
  readonly limits: PolicyLimits;
  readonly hub: HubPolicy;
  readonly swarm: SwarmPolicy;
}

/** The defaults. */
export const defaultPolicy: Policy = {
  lan: 'node',
  serverNames: [],
  limits: { forgetNodesAfterDays: 14, forgetNodesWithCopiesAfterDays: 90, openUploads: 64, uploadIdleDays: 7 },
  hub: defaultHubPolicy,
  swarm: defaultSwarmPolicy,
};

const amount = (byDefault: number, maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: byDefault, description }));

const { limits: usual } = defaultPolicy;
const limitsSchema = Type.Object(
  {
    forget_nodes_after_days: amount(
      usual.forgetNodesAfterDays,
      3650,
      'Days without a report after which a node without copies is forgotten.',
    ),
    forget_nodes_with_copies_after_days: amount(
      usual.forgetNodesWithCopiesAfterDays,
      3650,
      'Days without a report after which a node with copies is forgotten.',
    ),
    open_uploads: amount(usual.openUploads, 1024, 'Maximum number of unfinished uploads.'),
    upload_idle_days: amount(usual.uploadIdleDays, 365, 'Days without data after which an unfinished upload or download is removed.'),
  },
  { additionalProperties: false },
);

/** The policy of a store, in the format of the file. */
export const policySchema = Type.Object(
  {
    lan: Type.Optional(
      Type.Enum(['node', 'read', 'none'], {
        default: 'node',
        description: 'What the LAN may do without a token: stage and change models (node), list and fetch (read), or nothing (none).',
      }),
    ),
    server_names: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: textFormats.hostName.pattern }), {
        maxItems: 100,
        default: [],
        description: 'Additional host names of the store, for example that of a proxy.',
      }),
    ),
    limits: Type.Optional(limitsSchema),
    hub: Type.Optional(hubPolicySchema),
    swarm: Type.Optional(swarmPolicySchema),
  },
  { additionalProperties: false },
);

/** The keys of the policy, in order, with dots between their parts. */
export const policyKeys: readonly string[] = [
  ...Object.keys(policySchema.properties).filter((key) => !['limits', 'hub', 'swarm'].includes(key)),
  ...Object.keys(limitsSchema.properties).map((key) => `limits.${key}`),
  ...Object.keys(hubPolicySchema.properties).map((key) => `hub.${key}`),
  ...Object.keys(swarmPolicySchema.properties).map((key) => `swarm.${key}`),
];

/** The accepted values of a numeric key, for a hint; undefined for other keys. */
export function formsOfPolicyKey(key: string): string | undefined {
  let node: unknown = policySchema;
  for (const part of key.split('.')) node = (node as { properties?: Record<string, unknown> } | undefined)?.properties?.[part];
  const { type, minimum, maximum } = Object(node) as { type?: string; minimum?: number; maximum?: number };
  if (type !== 'integer') return undefined;
  return key.endsWith('_bytes') ? 'a number of bytes, or with a unit: 500M, 200G, 1.5T' : `a whole number from ${minimum} to ${maximum}`;
}

/** The keys with a list as value. */
const policyLists: ReadonlySet<string> = new Set(['server_names', 'hub.cors_origins']);

const policyFile = (path: string): SettingsFile<Policy> => ({
  path,
  schema: policySchema,
  read: ({ lan, server_names, limits, hub, swarm }) => ({
    lan: (lan as Lan | undefined) ?? defaultPolicy.lan,
    serverNames: (server_names as string[] | undefined) ?? defaultPolicy.serverNames,
    limits: readLimits((limits as Record<string, number> | undefined) ?? {}),
    hub: readHubPolicy((hub as Record<string, unknown> | undefined) ?? {}),
    swarm: readSwarmPolicy((swarm as Record<string, unknown> | undefined) ?? {}),
  }),
});

const readLimits = (given: Readonly<Record<string, number>>): PolicyLimits => ({
  forgetNodesAfterDays: given['forget_nodes_after_days'] ?? usual.forgetNodesAfterDays,
  forgetNodesWithCopiesAfterDays: given['forget_nodes_with_copies_after_days'] ?? usual.forgetNodesWithCopiesAfterDays,
  openUploads: given['open_uploads'] ?? usual.openUploads,
  uploadIdleDays: given['upload_idle_days'] ?? usual.uploadIdleDays,
});

/** A policy, and which of its keys are in the file. */
export interface ReadPolicy {
  readonly policy: Policy;
  readonly given: readonly string[];
}

/**
 * Reads a policy; undefined if there is no file.
 * @throws SkulkError CONFIG with the file, the line and the key
 */
export async function readPolicy(path: string): Promise<ReadPolicy | undefined> {
  const text = await readSettingsText(path);
  return text === undefined ? undefined : parsePolicy(text, path);
}

/** The same for a new content of the file. Throws SkulkError CONFIG. */
export async function parsePolicy(text: string, path: string): Promise<ReadPolicy> {
  const file = policyFile(path);
  const given: string[] = [];
  const policy = await parseSettingsText(text, {
    ...file,
    read: (content) => {
      given.push(...leavesOf(content, []).map(([keys]) => keys.join('.')));
      return file.read(content);
    },
  });
  return { policy, given };
}

/**
 * The text of a policy file with changed values. Comments stay.
 * @param text undefined if there is no file yet
 * @param changes nested as in the file; null removes a key
 * @throws SkulkError CONFIG if the result would be invalid
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
 * Parses a value of the policy as the user typed it: YAML, a list also with commas, bytes also as `200G`; `default` resets the key
 * (null).
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
  if (typeof value !== 'string') return value;
  if (key.endsWith('_bytes')) return parseByteCount(value) ?? value;
  if (!policyLists.has(key)) return value;
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
    // No setting is nested deeper.
    return isTree && keys.length < 3 ? leavesOf(value as Record<string, unknown>, keys) : [[keys, value] as const];
  });
}
