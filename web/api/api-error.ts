/** A request that was refused, or that got no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;

  constructor(message: string, { status, code, hint }: { status: number; code: string; hint: string | null }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** The failure in an answer. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  const { detail, code, hint } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  return new ApiError(typeof detail === 'string' ? detail : `the server answered ${response.status}`, {
    status: response.status,
    code: typeof code === 'string' ? code : '',
    hint: typeof hint === 'string' ? hint : null,
  });
}

/** A failure of `fetch` itself. */
export const unreachable = (): ApiError =>
  new ApiError('this server does not answer', { status: 0, code: 'UNREACHABLE', hint: 'check that `skulk serve` is still running' });

/** Converts any error to one that can be shown. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return error instanceof TypeError
    ? unreachable()
    : new ApiError(error instanceof Error ? error.message : String(error), { status: 0, code: '', hint: null });
}
