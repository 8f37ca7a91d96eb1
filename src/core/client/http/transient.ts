import { SkulkError, systemCode } from '../../kernel/errors.ts';

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'NAME_TIMEOUT',
  'NAME_UNKNOWN',
  'EADDRNOTAVAIL',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Whether another try may help: the store is unreachable or busy, or the network failed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof SkulkError)
    return (
      error.code === 'STORE_BUSY' || (error.code === 'STORE_UNREACHABLE' && !isOfCertificate(error.cause) && !isOfWrongPort(error.cause))
    );
  return networkCodes.has(systemCode(error) ?? '');
}

/** An invalid certificate is the same at the next try. */
const isOfCertificate = (cause: unknown): boolean => /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(systemCode(cause) ?? '');

/** So is another server of skulk at that port. */
const isOfWrongPort = (cause: unknown): boolean => cause instanceof SkulkError && cause.code === 'NOT_FOUND';
