import type { PageKeys } from '../../access/page-keys.ts';
import type { Policy } from '../../config/policy.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/role.ts';
import { digestOf, isSameDigest } from '../../kernel/secret.ts';
import type { NamedToken } from '../../protocol/access.ts';

/** The client of a request, as far as it is known. The source address proves nothing. */
export interface Asker {
  readonly role: Role | 'none';
  /** What gave it its role: nothing (lan), the token of the configuration, the key of this machine, the key of a page, or a named token. */
  readonly credential: 'lan' | 'token' | 'key' | 'page' | 'named';
  /** The name of a named token. */
  readonly name?: string | undefined;
}

/** Decides about the rights of clients on a server. */
export interface Access {
  /** Identifies a client by its `Authorization` header, or without one. @throws SkulkError UNAUTHORIZED for an unknown bearer token */
  authenticate(authorization: string | undefined): Promise<Asker>;
  /** The rights of the LAN without a token. */
  lan(): Promise<Policy['lan']>;
  /** Whether these rights are known; on a node, its store must have reported them once. */
  isLanKnown(): Promise<boolean>;
  /** The rights of a client in the store. On a node it may have fewer rights in the store than on the machine itself. */
  storeRole(asker: Asker): Promise<Role | 'none'>;
  /** Further names of this server in requests; undefined if any name is accepted. */
  serverNames(): Promise<readonly string[] | undefined>;
  /** Origins of pages of other sites that may use this server as a Hub. */
  corsOrigins(): Promise<readonly string[]>;
  readonly pages: PageKeys | undefined;
}

/** The options of `createAccess`. */
export interface AccessOptions {
  /** The token in the configuration: its owner has all rights, and nobody else has any. */
  readonly token?: string | undefined;
  /** The key of this machine; without it nobody can administer this server. */
  readonly adminKey?: string | undefined;
  readonly pages?: PageKeys | undefined;
  /** The policy of the store. */
  readonly policy?:
    | (() => Promise<
        Pick<Policy, 'lan' | 'serverNames'> & { readonly hub: Pick<Policy['hub'], 'corsOrigins'>; readonly isSaid?: boolean | undefined }
      >)
    | undefined;
  /** On a node: the rights that its store gives to clients without a token. */
  readonly storeLan?: (() => Promise<Policy['lan']>) | undefined;
  /** Finds a named token of the store. */
  readonly findToken?: ((token: string) => Promise<Pick<NamedToken, 'role' | 'name'> | undefined>) | undefined;
}

/** See `Access`. Comparisons take constant time. */
export function createAccess({ token, adminKey, pages, policy, storeLan, findToken }: AccessOptions): Access {
  const tokenDigest = token === undefined ? undefined : digestOf(token);
  const keyDigest = adminKey === undefined ? undefined : digestOf(adminKey);
  const lan = async (): Promise<Policy['lan']> => (token !== undefined ? 'none' : policy === undefined ? 'node' : (await policy()).lan);
  return {
    pages,
    lan,
    // The keys of a machine are never sent to its store.
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
      // Hub clients send their Hub tokens, which must not be forwarded to anyone.
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
  // Another scheme is not known here. Such a client has the same rights as one without a header.
  const given = /^Bearer(?: +(.*))?$/is.exec(authorization.trim());
  return given === null ? undefined : (given[1] ?? '').trim();
}
