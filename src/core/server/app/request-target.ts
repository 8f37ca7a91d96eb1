import type { IncomingMessage } from 'node:http';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { escapeStrays } from '../routes/parse-model-url.ts';

const refusals = new WeakMap<IncomingMessage, SkulkError>();

/**
 * Validates request targets (RFC 9112, 3.2), as fastify's `rewriteUrl`. The absolute form is served as its path, and its authority
 * replaces the Host header (3.2.2). An invalid target is routed to `/` and remembered for `refuseBadTargets`, because this function must
 * not throw.
 */
export function routableTarget(request: IncomingMessage): string {
  try {
    const { host, path, query } = splitTarget(request.url ?? '');
    requireOneHost(request);
    if (host !== undefined) request.headers.host = host;
    checkPath(path);
    return escapeStrays(path) + query;
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    refusals.set(request, error);
    return '/';
  }
}

/** With several names, this server could check one, and a proxy use the other (RFC 9112, 3.2). */
function requireOneHost({ rawHeaders }: IncomingMessage): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host');
  if (hosts.length > 1) throw new SkulkError('BAD_REQUEST', 'the request has several Host headers', { hint: 'send one' });
}

/** Throws the error that `routableTarget` could not throw. @throws SkulkError BAD_PATH */
export function refuseBadTarget(request: IncomingMessage): void {
  const refusal = refusals.get(request);
  if (refusal !== undefined) throw refusal;
}

/** Splits a request target; the query starts with `?` or is empty. @throws SkulkError BAD_PATH */
export function splitTarget(target: string): { readonly host?: string; readonly path: string; readonly query: string } {
  const [, host] = /^https?:\/\/([^/?#@\\]+)(?=[/?]|$)/i.exec(target) ?? [];
  const origin = host === undefined ? target : target.replace(/^https?:\/\/[^/?]+/i, '');
  const cut = origin.indexOf('?');
  const path = cut === -1 ? origin : origin.slice(0, cut);
  const query = cut === -1 ? '' : origin.slice(cut);
  if (host !== undefined) return { host, path: path === '' ? '/' : path, query };
  if (path.startsWith('/')) return { path, query };
  throw new SkulkError('BAD_PATH', `${quote(target)} is not a path`, { hint: 'a path must begin with "/"' });
}

/** Servers, proxies and libraries disagree about the meaning of these, so they are rejected. */
function checkPath(path: string): void {
  for (const segment of path.split('/')) {
    const decoded = decodeSegment(segment);
    if (decoded.includes('\\')) throw badPath(path, 'it has a backslash');
    if (decoded === '.' || decoded === '..') throw badPath(path, `"${decoded}" is a part of it`);
  }
}

/** Whether a route's parameter stays one segment at every server and proxy on its way; the validation of ids rejects others. Pure. */
export const isPlainParam = (value: string): boolean =>
  !value.includes('\0') && !value.split('/').some((part) => part === '.' || part === '..');

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    throw badPath(segment, 'it has escapes that are not UTF-8');
  }
}

const badPath = (path: string, why: string): SkulkError =>
  new SkulkError('BAD_PATH', `${quote(path)} cannot be requested: ${why}`, { hint: 'GET /openapi.json lists the routes of this server' });

/**
 * The target of a matched route, for forwarding a request. Pure.
 * @param pattern the route's pattern, e.g. `/store/models/:id`
 * @param params its parameters, decoded
 * @param query forwarded unchanged
 */
export function targetOfRoute(pattern: string, params: Readonly<Record<string, string>>, query: string): string {
  const path = pattern.replaceAll(/:(\w+)|\*/g, (_, name: string | undefined) => {
    const value = params[name ?? '*'] ?? '';
    return name === undefined ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value);
  });
  // A raw byte means the same as its escape.
  return path + query.replaceAll(/[^\x21-\x7e]|#/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
