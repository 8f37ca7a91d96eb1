import type { NamedToken } from '../access/token-book.ts';
import type { Role } from '../kernel/role.ts';
import type { Exchange } from './http/exchange.ts';
import { readJson } from './http/read-body.ts';

/** The tokens and the policy of a store behind HTTP; they want the role admin. */
export interface AccessClient {
  listTokens(): Promise<readonly NamedToken[]>;
  createToken(wanted: {
    readonly name: string;
    readonly role: Role;
  }): Promise<NamedToken & { readonly token: string; readonly lan: string }>;
  revokeToken(name: string): Promise<NamedToken>;
  viewPolicy(): Promise<unknown>;
  changePolicy(changes: Readonly<Record<string, unknown>>): Promise<unknown>;
}

const mostBytes = 1024 * 1024;

/** See `AccessClient`. */
export function createAccessClient(exchange: Exchange): AccessClient {
  const { url } = exchange;
  const send = <T>(call: Parameters<Exchange['send']>[0]): Promise<T> =>
    exchange.send(call, async (response, watchdog) => (await readJson(response, { url, limit: mostBytes, watchdog })) as T);
  return {
    listTokens: async () => (await send<{ readonly tokens: readonly NamedToken[] }>({ path: '/tokens' })).tokens,
    createToken: (wanted) => send({ method: 'POST', path: '/tokens', json: wanted }),
    revokeToken: (name) => send({ method: 'DELETE', path: `/tokens/${encodeURIComponent(name)}` }),
    viewPolicy: () => send({ path: '/policy' }),
    changePolicy: (changes) => send({ method: 'PUT', path: '/policy', json: changes }),
  };
}
