import type { ActivityAction, ActivityEntry } from '../../../src/core/protocol/events.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';

/** What somebody did, as a verb before its object. */
export const verbs: Readonly<Record<ActivityAction, string>> = {
  add: 'added',
  download: 'asked for a download of',
  'cancel-download': 'stopped the download of',
  delete: 'deleted',
  purge: 'purged staged copies of',
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
};

/** What an action is about when it names no model: everything. */
const all: Partial<Record<ActivityAction, string>> = { purge: 'every model', verify: 'every model' };

/** What is the object of the sentence where it is not a model; empty if it has no object. Pure. */
export const objectOf = ({ action, target }: Pick<ActivityEntry, 'action' | 'target'>): string => target ?? all[action] ?? '';

/** Who asked, for a page that may not know it: only an admin sees the names of others. */
const unnamed: Readonly<Record<string, string>> = { lan: 'somebody on the LAN', token: 'a token' };

/** Who asked: the name of a token, the machine, or its address. Pure. */
export function nameAsker({ who, from, node }: Pick<ActivityEntry, 'who' | 'from' | 'node'>, nodes: readonly KnownNode[]): string {
  if (from === '') return unnamed[who] ?? 'an admin';
  const [first, ...others] = nodes.filter(({ node_id, address }) => (node === null ? address === from : node_id === node));
  const place = first !== undefined && others.length === 0 && first.hostname !== '' ? first.hostname : from;
  const token = /^token (.+)$/.exec(who)?.[1];
  if (token !== undefined) return token;
  return who === 'lan' ? place : `admin on ${place}`;
}
