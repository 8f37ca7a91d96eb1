import { type Session, session } from '../protocol/access.ts';
import { callOf } from '../protocol/routes/call.ts';
import { createExchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';

/** A store's answer about the rights of a client. */
export type SessionAnswer =
  | ({ readonly state: 'known' } & Session)
  /** The store does not know the token, or requires one. */
  | { readonly state: 'refused' }
  /** The store has no roles: the Python program. */
  | { readonly state: 'none' };

/** Asks a store for the rights of a token, or of a client without one. Throws STORE_UNREACHABLE. */
export async function askSession({
  bearer,
  ...options
}: Pick<Parameters<typeof createExchange>[0], 'url' | 'signal' | 'userAgent' | 'lookup'> & {
  readonly bearer: string | undefined;
}): Promise<SessionAnswer> {
  // With its own token, this machine would get its own rights instead.
  const exchange = createExchange({ ...options, stallTimeoutMs: 3_000, connectTimeoutMs: 1_500, connections: 1 });
  const { url } = exchange;
  try {
    return await exchange.send(
      {
        ...callOf('GET /session', {}),
        accept: [200, 401, 404],
        ...(bearer !== undefined && { headers: { Authorization: `Bearer ${bearer}` } }),
      },
      async (response, watchdog): Promise<SessionAnswer> => {
        if (response.status === 401) return { state: 'refused' };
        if (response.status === 404) return { state: 'none' };
        const body = await readJson(response, { url, limit: 64 * 1024, watchdog });
        return { state: 'known', ...readAnswer(session, body, { url, why: 'it does not report what this machine may do' }) };
      },
    );
  } finally {
    exchange.close();
  }
}
