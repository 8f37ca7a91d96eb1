import { list, listOrEmpty, object, oneOf, type Shape, sha256, strictObject, text, textOrEmpty, wholeList } from './schema.ts';
import { Type } from './type-builder.ts';

export const role = oneOf(['read', 'node', 'admin']);
/** The roles; each has all rights of the ones before it. */
export type Role = Shape<typeof role>;
export const lan = oneOf(['node', 'read', 'none'], { description: 'What the LAN may do without a token' });
/** The rights of the LAN without a token. */
export type Lan = Shape<typeof lan>;

/** The rights of a client. */
export const session = object({
  role,
  credential: oneOf(['lan', 'token', 'key', 'page', 'named'], { default: 'lan', description: 'How the caller was authenticated' }),
  name: Type.Optional(text({ description: 'Name of the token, if it is a named one' })),
  store_role: oneOf(['read', 'node', 'admin', 'none'], {
    default: 'none',
    description: 'Its role at the store, which may be lower on a node',
  }),
  lan,
  server_names: listOrEmpty(text(), { description: 'Additional names of the store' }),
  cors_origins: listOrEmpty(text(), { description: 'Origins of pages that may use the store as a Hub' }),
  hostname: textOrEmpty(),
});
export type Session = Shape<typeof session>;

/** The code of a link. */
export const codeBody = object({ code: text({ maxLength: 200 }) });
export type CodeBody = Shape<typeof codeBody>;
/** The key of a page. */
export const pageKey = object({ key: text(), role: Type.Literal('admin'), expires_at: text() });
/** A code for a link that opens the page with the role admin. */
export const pageCode = object({ code: text(), expires_at: text() });
/** The confirmation that a page's key was revoked. */
export const endedSession = object({ ended: Type.Literal(true) });

/** A token with a name; the token itself is only known when it is created. */
export const namedToken = object({ name: text(), role, created_at: textOrEmpty('ISO 8601') });
export type NamedToken = Shape<typeof namedToken>;
/** The syntax of a token's name. */
export const tokenNamePattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
/** A token as saved by the store: only its hash. */
export const keptToken = object({
  name: Type.String({ pattern: tokenNamePattern }),
  role,
  created_at: text({ description: 'ISO 8601' }),
  sha256: sha256(),
});
export type KeptToken = Shape<typeof keptToken>;
/** `tokens.json` of a store. It decides about rights, so one invalid token makes the whole file invalid. */
export const tokenFile = object({ tokens: wholeList(keptToken) });

/** The named tokens. */
export const tokenList = object({ tokens: list(namedToken) });
/** A token to create. */
export const tokenBody = strictObject({ name: text({ maxLength: 64 }), role });
export type TokenBody = Shape<typeof tokenBody>;
/** A new token; it is shown only once. */
export const madeToken = object({ ...namedToken.properties, token: text(), lan });
export type MadeToken = Shape<typeof madeToken>;
