import { nodeNames } from '../../kernel/machine/node-names.ts';
import type { ActivityAction, ActivityEntry } from '../events.ts';
import type { KnownNode } from '../fleet.ts';

/** What somebody did, as a verb before its object. */
export const activityVerbs: Readonly<Record<ActivityAction, string>> = {
  add: 'added',
  download: 'asked for a download of',
  'cancel-download': 'stopped the download of',
  'clear-downloads': 'cleared ended downloads of',
  delete: 'deleted',
  purge: 'purged staged copies of',
  evict: 'removed the staged copy of',
  verify: 'verified',
  stage: 'staged',
  'cancel-stage': 'stopped staging',
  optimize: 'asked for an optimization of',
  'cancel-optimization': 'stopped the optimization of',
  'cancel-upload': 'cancelled an upload',
  'forget-node': 'forgot the node',
  'cancel-order': 'cancelled an order',
  'change-settings': 'changed the settings',
  'change-policy': 'changed the policy of the store',
  'create-token': 'created the token',
  'revoke-token': 'revoked the token',
  restart: 'restarted the server',
  promote: 'promoted this store instead of',
  'undo-promotion': 'took back the promotion of this store',
};

/** Every kind of change. */
export const activityActions = Object.keys(activityVerbs) as readonly ActivityAction[];

/** The object of an action when it names no model: everything. */
const all: Partial<Record<ActivityAction, string>> = {
  purge: 'every model',
  verify: 'every model',
  'clear-downloads': 'every model',
};

/** The object of the sentence if it is not a model; empty if it has no object. Pure. */
export const objectOfActivity = ({ action, target }: Pick<ActivityEntry, 'action' | 'target'>): string => target ?? all[action] ?? '';

/** The verb of an entry before its object. A failure does not claim that it was done, and the end of a job is not the request for it. Pure. */
export function verbOfActivity({ action, code, state }: Pick<ActivityEntry, 'action' | 'code' | 'state'>): string {
  if (state === 'accepted') return acceptedVerbs[action] ?? activityVerbs[action];
  if (state !== 'ended' && action in endVerbs) return activityVerbs[action];
  if (code !== null && !wasDone({ action, code })) return `failed to ${infinitives[action]}`;
  return endVerbs[action] ?? activityVerbs[action];
}

/** Whether a change with an error was made all the same: on some machines only, or a check that found something. */
const wasDone = ({ action, code }: { readonly action: ActivityAction; readonly code: string }): boolean =>
  code === 'PARTIAL' || (code === 'INTEGRITY' && action === 'verify');

/** For a request that machines had not finished when it was answered. */
const acceptedVerbs: Partial<Record<ActivityAction, string>> = {
  stage: 'asked to stage',
  purge: 'asked to purge staged copies of',
};

/** For the end of a job. The request for it has another verb, which is true for a refused request too. */
const endVerbs: Partial<Record<ActivityAction, string>> = { download: 'downloaded', optimize: 'optimized' };

/** After `failed to`. */
const infinitives: Readonly<Record<ActivityAction, string>> = {
  add: 'add',
  download: 'download',
  'cancel-download': 'stop the download of',
  'clear-downloads': 'clear ended downloads of',
  delete: 'delete',
  purge: 'purge staged copies of',
  evict: 'remove the staged copy of',
  verify: 'verify',
  stage: 'stage',
  'cancel-stage': 'stop staging',
  optimize: 'optimize',
  'cancel-optimization': 'stop the optimization of',
  'cancel-upload': 'cancel an upload',
  'forget-node': 'forget the node',
  'cancel-order': 'cancel an order',
  'change-settings': 'change the settings',
  'change-policy': 'change the policy of the store',
  'create-token': 'create the token',
  'revoke-token': 'revoke the token',
  restart: 'restart the server',
  promote: 'promote this store instead of',
  'undo-promotion': 'take back the promotion of this store',
};

/** What happened, for the codes that do not say it. */
const codeWords: Readonly<Record<string, string>> = {
  USAGE: 'invalid request',
  CONFIG: 'invalid setting',
  BAD_MODEL_ID: 'invalid model id',
  BAD_PATH: 'invalid path',
  BAD_REQUEST: 'invalid request',
  PERMISSION: 'no permission',
  FORBIDDEN: 'not allowed',
  UNAUTHORIZED: 'token not accepted',
  MODEL_NOT_FOUND: 'no such model',
  FILE_NOT_FOUND: 'no such file',
  REVISION_NOT_FOUND: 'no such revision',
  NOT_FOUND: 'nothing found',
  JOB_NOT_FOUND: 'no such job',
  NODE_NOT_FOUND: 'no such node',
  ORDER_NOT_FOUND: 'no such order',
  TOKEN_NOT_FOUND: 'no such token',
  PRECONDITION_FAILED: 'another file',
  RANGE_NOT_SATISFIABLE: 'impossible range',
  STORE_AMBIGUOUS: 'several stores',
  STORE_NOT_CONFIGURED: 'no store is set',
  STORE_BUSY: 'the store was busy',
  DISK_ABSENT: 'a disk is missing',
  DISK_FAILED: 'the disk failed',
  CONFLICT: 'not possible now',
  LOCKED: 'in use or locked',
  INTEGRITY: 'wrong checksum',
  NO_SPACE: 'not enough space',
  HUB_OFFLINE: 'downloads are off',
  HUB_REFUSED: 'refused by the Hub',
  HUB_UNREACHABLE: 'Hub not reachable',
  HUB_BUSY: 'the Hub was busy',
  ENGINE_NOT_FOUND: 'no engine for it',
  ENGINE_FAILED: 'the engine failed',
  PARTIAL: 'partially done',
  COMMAND_NOT_EXECUTABLE: 'cannot be run',
  COMMAND_NOT_FOUND: 'no such command',
  TERMINATED: 'interrupted',
};

/** The words for a code, short enough for the narrowest table: `refused by the Hub` for `HUB_REFUSED`. Pure. */
export const wordsOfCode = (code: string): string => codeWords[code] ?? code.toLowerCase().replaceAll('_', ' ');

/** The result for a person: `done`, `accepted`, or why not, `no such model` for `MODEL_NOT_FOUND`. Pure. */
export function resultOfActivity({ code, state }: Pick<ActivityEntry, 'code' | 'state'>): string {
  if (code !== null) return wordsOfCode(code);
  return state === 'accepted' ? 'accepted' : 'done';
}

/** The name of a job in the log: no two jobs have the same. @param id that of a download, or the model that an optimization makes */
export const jobNameOf = (id: string, createdAt: string): string => `${id} ${createdAt}`;

/** Who asked, for a client that may not know it: only an admin sees the names of others. */
const unnamed: Readonly<Record<string, string>> = {
  lan: 'somebody on the LAN',
  token: 'a token',
  node: 'a machine',
  user: 'somebody on the store host',
};

type Asker = Pick<ActivityEntry, 'who' | 'from' | 'node'>;

/** Who asked: the name of a token, the user of the store host, the machine, or its address. Pure. */
export function nameAsker({ who, from, node }: Asker, nodes: readonly Pick<KnownNode, 'node_id' | 'address' | 'hostname'>[]): string {
  const user = userOf({ who });
  if (user !== undefined) return `${user} on the store host`;
  if (from === '' && node === null) return unnamed[who] ?? 'an admin';
  const [first, ...others] = nodes.filter(({ node_id, address }) => (node === null ? address === from : node_id === node));
  const place = first !== undefined && others.length === 0 && first.hostname !== '' ? nodeNames(nodes)(first) : from;
  if (place === '') return (who === 'node' ? node : null) ?? unnamed[who] ?? 'an admin';
  return tokenOf({ who }) ?? (who === 'lan' || who === 'node' ? place : `admin on ${place}`);
}

/** The words by which a user may search for who asked. Pure. */
export function namesOfAsker(
  { who, from, node }: Asker,
  nodes: readonly Pick<KnownNode, 'node_id' | 'address' | 'hostname'>[],
): readonly string[] {
  const hosts = nodes
    .filter(({ node_id, address }) => node_id === node || (from !== '' && address === from))
    .map(({ hostname }) => hostname);
  return [who, tokenOf({ who }), userOf({ who }), from, node, ...hosts].flatMap((name) => (name == null || name === '' ? [] : [name]));
}

const tokenOf = ({ who }: Pick<ActivityEntry, 'who'>): string | undefined => /^token (.+)$/s.exec(who)?.[1];
const userOf = ({ who }: Pick<ActivityEntry, 'who'>): string | undefined => /^user (.+)$/s.exec(who)?.[1];
