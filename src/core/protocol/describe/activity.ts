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

/** The verb of an entry before its object. The end of a job has another one than the request for it. Pure. */
export function verbOfActivity({ action, code, state }: Pick<ActivityEntry, 'action' | 'code' | 'state'>): string {
  if (state === 'accepted') return acceptedVerbs[action] ?? activityVerbs[action];
  const ended = state === 'ended' ? endVerbs[action] : undefined;
  return ended === undefined ? activityVerbs[action] : ended[code === null ? 'done' : 'failed'];
}

/** For a request that machines had not finished when it was answered. */
const acceptedVerbs: Partial<Record<ActivityAction, string>> = {
  stage: 'asked to stage',
  purge: 'asked to purge staged copies of',
};

const endVerbs: Partial<Record<ActivityAction, { readonly done: string; readonly failed: string }>> = {
  download: { done: 'downloaded', failed: 'failed to download' },
  optimize: { done: 'optimized', failed: 'failed to optimize' },
};

/** `MODEL_NOT_FOUND` as `model not found`. Pure. */
export const wordsOfCode = (code: string): string => code.toLowerCase().replaceAll('_', ' ');

/** The result for a person: `done`, `accepted`, or why not, `model not found` for `MODEL_NOT_FOUND`. Pure. */
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
