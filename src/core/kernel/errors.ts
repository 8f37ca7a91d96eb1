import { constants } from 'node:os';

/**
 * Every failure that skulk expects, with its exit status for a shell and its HTTP status (docs/cli.md, "Exit statuses"; docs/http.md,
 * "Failures").
 */
export const errorCodes = {
  USAGE: { exit: 2, http: 400 },
  CONFIG: { exit: 2, http: 500 },
  BAD_MODEL_ID: { exit: 2, http: 400 },
  BAD_PATH: { exit: 2, http: 400 },
  BAD_REQUEST: { exit: 2, http: 400 },
  PERMISSION: { exit: 2, http: 500 },
  FORBIDDEN: { exit: 2, http: 403 },
  /** A token is required, and it is missing or wrong. */
  UNAUTHORIZED: { exit: 2, http: 401 },
  TOO_MANY_REQUESTS: { exit: 5, http: 429 },
  MODEL_NOT_FOUND: { exit: 3, http: 404 },
  FILE_NOT_FOUND: { exit: 3, http: 404 },
  REVISION_NOT_FOUND: { exit: 3, http: 404 },
  NOT_FOUND: { exit: 3, http: 404 },
  JOB_NOT_FOUND: { exit: 3, http: 404 },
  NODE_NOT_FOUND: { exit: 3, http: 404 },
  ORDER_NOT_FOUND: { exit: 3, http: 404 },
  TOKEN_NOT_FOUND: { exit: 3, http: 404 },
  /** A file is not the one that If-Match names. */
  PRECONDITION_FAILED: { exit: 1, http: 412 },
  RANGE_NOT_SATISFIABLE: { exit: 1, http: 416 },
  /** Several stores were found, and the configuration selects none of them. */
  STORE_AMBIGUOUS: { exit: 4, http: 503 },
  STORE_NOT_CONFIGURED: { exit: 4, http: 503 },
  STORE_UNREACHABLE: { exit: 4, http: 503 },
  /** The token was not sent, because the configuration does not name the store explicitly. */
  TOKEN_WITHHELD: { exit: 2, http: 503 },
  /** The disk behind a path is gone, or does not answer. */
  DISK_ABSENT: { exit: 4, http: 503 },
  /** The file system refused an operation, and no other code here covers the reason. */
  DISK_FAILED: { exit: 2, http: 500 },
  STORE_BUSY: { exit: 5, http: 503 },
  CONFLICT: { exit: 5, http: 409 },
  /** The work was stopped on request. */
  CANCELLED: { exit: 5, http: 409 },
  LOCKED: { exit: 5, http: 409 },
  PORT_IN_USE: { exit: 5, http: 500 },
  INTEGRITY: { exit: 6, http: 500 },
  NO_SPACE: { exit: 7, http: 507 },
  /** Downloads are switched off. */
  HUB_OFFLINE: { exit: 8, http: 503 },
  HUB_REFUSED: { exit: 8, http: 502 },
  HUB_UNREACHABLE: { exit: 8, http: 502 },
  /** Too many requests; see `retryAfterMs`. */
  HUB_BUSY: { exit: 8, http: 503 },
  /** No installed program can make the requested variant of a model. */
  ENGINE_NOT_FOUND: { exit: 2, http: 503 },
  /** The program that makes a variant failed, and no other code here covers the reason. */
  ENGINE_FAILED: { exit: 2, http: 500 },
  PARTIAL: { exit: 9, http: 500 },
  /** The command given to `run` cannot be started. The statuses are those of a shell. */
  COMMAND_NOT_EXECUTABLE: { exit: 126, http: 500 },
  COMMAND_NOT_FOUND: { exit: 127, http: 500 },
  INTERRUPTED: { exit: 130, http: 503 },
  TERMINATED: { exit: 143, http: 503 },
} as const satisfies Record<string, { readonly exit: number; readonly http: number }>;

/** The stable name of a failure. Scripts may rely on it. */
export type ErrorCode = keyof typeof errorCodes;

/** The optional parts of a failure, beside its message. */
export interface ErrorDetails {
  /** One sentence: what the user can do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** How long to wait before the next request, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** A failure that skulk expects. The message names the model, path or URL; the hint says what to do next. */
export class SkulkError extends Error {
  override readonly name = 'SkulkError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause, retryAfterMs }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether a value is one of the codes of `errorCodes`. */
export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(errorCodes, value);

/** Error numbers that Node cannot name. Those from `os.constants` depend on the system; the others are Linux's. */
const unnamed: ReadonlyMap<number, string> = new Map([
  ...(process.platform === 'linux'
    ? ([
        [87, 'EUSERS'],
        [117, 'EUCLEAN'],
        [121, 'EREMOTEIO'],
        [123, 'ENOMEDIUM'],
        [108, 'ESHUTDOWN'],
        [112, 'EHOSTDOWN'],
      ] as const)
    : []),
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
]);

/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  // EDQUOT, ESTALE, ENOLCK and others come as `Unknown system error -122`.
  const number = /^Unknown system error -?(\d+)$/.exec(error.code)?.[1];
  return number === undefined ? error.code : (unnamed.get(Number(number)) ?? error.code);
}

/** Whether a system error has one of the given codes. */
export const isSystemError = (error: unknown, ...codes: readonly string[]): boolean => codes.includes(systemCode(error) ?? '');

/** Whether a write failed because the disk or the quota is full. */
export const isDiskFull = (error: unknown): boolean => isSystemError(error, 'ENOSPC', 'EDQUOT');
