import { systemCode } from './errors.ts';

/** What the codes of network failures mean, in words. */
const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  ECONNABORTED: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was closed too early',
  ETIMEDOUT: 'no answer from the host',
  EHOSTDOWN: 'no answer from the host',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'this machine has no address for that network',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'no name server answers for this host name',
  EAI_FAIL: 'the name server failed for this host name',
  ENODATA: 'the host name has no address',
  EAI_NODATA: 'the host name has no address',
  // OpenSSL's words for it name its source files.
  EPROTO: 'the TLS handshake failed',
};

/** The meaning of a known network failure; undefined for any other value. Pure. */
export function networkReasonOf(error: unknown): string | undefined {
  const code = systemCode(error) ?? '';
  return Object.hasOwn(sentences, code) ? sentences[code] : undefined;
}

/** A network failure in words, without the name of a system call. Pure. */
export function describeNetworkError(error: unknown): string {
  const known = networkReasonOf(error);
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message.replace(/^request to .* failed, reason: /, '') : String(error);
  return message || systemCode(error) || 'the connection failed';
}

/** A name that was not resolved in time. Its code is `NAME_TIMEOUT`. */
export const lateName = (name: string, ms: number): Error =>
  Object.assign(new Error(`the name ${name} was not resolved within ${ms / 1000} s`), { code: 'NAME_TIMEOUT' });

/** A name of a store that neither the name service nor an mDNS search knows. Its code is `NAME_UNKNOWN`. */
export const unknownName = (name: string): Error =>
  Object.assign(new Error(`${name} is found neither by DNS nor by mDNS; it is probably off`), { code: 'NAME_UNKNOWN' });

/** Whether a host name could not be resolved to an address. Pure. */
export const isUnresolved = (error: unknown): boolean => unresolved.has(systemCode(error) ?? '');

const unresolved = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA', 'EAI_NODATA', 'NAME_TIMEOUT', 'NAME_UNKNOWN']);
