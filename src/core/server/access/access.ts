import type { PageKeys } from '../../access/page-keys.ts';
import type { Policy } from '../../config/policy.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/role.ts';
import { digestOf, isSameDigest } from '../../kernel/secret.ts';
import type { NamedToken } from '../../protocol/access.ts';

/** Who asks, as far as it is known. What address a request comes from proves nothing. */
export interface Asker {
  readonly role: Role | 'none';
  /** By what the role was shown: nothing (lan), the token of the configuration, the key of this machine, that of a page, or a named token. */
  readonly credential: 'lan' | 'token' | 'key' | 'page' | 'named';
  /** Of a named token. */
  readonly name?: string | undefined;
}

/** Decides who may do what on a server. */
export interface Access {
  /** Who shows an `Authorization` header, or shows none. @throws SkulkError UNAUTHORIZED for a bearer that nobody knows */
  authenticate(authorization: string | undefined): Promise<Asker>;
  /** What the LAN may do without a token. */
  lan(): Promise<Policy['lan']>;
  /** Whether that is known; on a node its store has to have said it once. */
  isLanKnown(): Promise<boolean>;
  /** What somebody may do with the store, who on a node may do less there than with the machine itself. */
  storeRole(asker: Asker): Promise<Role | 'none'>;
  /** Further names under which this server may be asked; undefined when any name will do. */
  serverNames(): Promise<readonly string[] | undefined>;
  /** Origins of pages of other sites that may use this server as a Hub. */
  corsOrigins(): Promise<readonly string[]>;
  readonly pages: PageKeys | undefined;
}

/** What decides. */
export interface AccessOptions {
  /** The one of the configuration; who knows it may do everything, and nobody else anything. */
  readonly token?: string | undefined;
  /** The key of this machine; without it nobody administers this server. */
  readonly adminKey?: string | undefined;
  readonly pages?: PageKeys | undefined;
  /** Of the store. */
  readonly policy?:
    | (() => Promise<
        Pick<Policy, 'lan' | 'serverNames'> & { readonly hub: Pick<Policy['hub'], 'corsOrigins'>; readonly isSaid?: boolean | undefined }
      >)
    | undefined;
  /** On a node: what its store lets those do who show it nothing. */
  readonly storeLan?: (() => Promise<Policy['lan']>) | undefined;
  /** Of the store. */
  readonly findToken?: ((token: string) => Promise<Pick<NamedToken, 'role' | 'name'> | undefined>) | undefined;
}

/** See `Access`. Comparisons take as long whatever the difference is. */
export function createAccess({ token, adminKey, pages, policy, storeLan, findToken }: AccessOptions): Access {
  const tokenDigest = token === undefined ? undefined : digestOf(token);
  const keyDigest = adminKey === undefined ? undefined : digestOf(adminKey);
  const lan = async (): Promise<Policy['lan']> => (token !== undefined ? 'none' : policy === undefined ? 'node' : (await policy()).lan);
  return {
    pages,
    lan,
    // The keys of a machine are never shown to its store.
    storeRole: async ({ role, credential }) =>
      storeLan !== undefined && (credential === 'key' || credential === 'page') ? storeLan() : role,
    isLanKnown: async () => token !== undefined || policy === undefined || (await policy()).isSaid !== false,
    corsOrigins: async () => (policy === undefined ? [] : (await policy()).hub.corsOrigins),
    serverNames: async () => (token !== undefined ? undefined : policy === undefined ? [] : (await policy()).serverNames),
    authenticate: async (authorization) => {
      const bearer = bearerOf(authorization);
      if (bearer === undefined) return { role: await lan(), credential: 'lan' };
      const digest = digestOf(bearer);
      if (tokenDigest !== undefined && isSameDigest(digest, tokenDigest)) return { role: 'admin', credential: 'token' };
      if (keyDigest !== undefined && isSameDigest(digest, keyDigest)) return { role: 'admin', credential: 'key' };
      if (pages?.holds(bearer) === true) return { role: 'admin', credential: 'page' };
      // Tokens of the Hub are shown by its clients, and go no further than to whom they were shown.
      const named = bearer.startsWith('hf_') ? undefined : await findToken?.(bearer);
      if (named !== undefined) return { role: named.role, credential: 'named', name: named.name };
      throw new SkulkError('UNAUTHORIZED', 'the token is invalid or was revoked', {
        hint: 'send a valid one as `Authorization: Bearer TOKEN`; skulk reads it from SKULK_TOKEN or --token',
      });
    },
  };
}

/** The token of an `Authorization: Bearer` header; undefined without one. */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  // Another scheme shows nothing that is known here, and is no reason to be trusted less than nobody.
  const given = /^Bearer(?: +(.*))?$/is.exec(authorization.trim());
  return given === null ? undefined : (given[1] ?? '').trim();
}
