import { HubRefusal, type HubRefusalKind, hubRefusals } from '../contract.ts';

/** Every refusal of a registry, with its status. Source: OCI Distribution, "Error Codes". */
export const registryRefusals = {
  NAME_UNKNOWN: 404,
  NAME_INVALID: 404,
  MANIFEST_UNKNOWN: 404,
  BLOB_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  /** Never 401: Ollama would start an exchange of keys. */
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
} as const;

/** The code of a refusal. */
export type RegistryRefusalCode = keyof typeof registryRefusals;

/** A refusal in a registry's terms. The message is one line with the model and what to do. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly code: RegistryRefusalCode;
  readonly status: number;

  constructor(
    code: RegistryRefusalCode,
    message: string,
    { status = registryRefusals[code], cause }: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }
}

/** Maps a Hub's refusal to a registry's; returns anything else unchanged. Pure. */
export function asRegistryRefusal(error: unknown): unknown {
  if (!(error instanceof HubRefusal)) return error;
  const code = codes[error.kind] ?? 'UNAVAILABLE';
  const status = code === 'UNAVAILABLE' ? hubRefusals[error.kind].status : registryRefusals[code];
  return new RegistryRefusal(code, error.message, { status, cause: error });
}

/** Other files may be available later. */
const codes: { readonly [Kind in HubRefusalKind]?: RegistryRefusalCode } = {
  badRequest: 'NAME_INVALID',
  unauthorized: 'DENIED',
  forbidden: 'DENIED',
  readOnly: 'DENIED',
  gated: 'DENIED',
  mayNotFetch: 'DENIED',
  repoNotFound: 'NAME_UNKNOWN',
  revisionNotFound: 'NAME_UNKNOWN',
  entryNotFound: 'BLOB_UNKNOWN',
  notFound: 'NAME_UNKNOWN',
};
