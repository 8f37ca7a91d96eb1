import type { World } from '../../kernel/world.ts';
import type { RouteCall } from '../../protocol/routes/call.ts';
import type { Schema, Shape } from '../../protocol/schema.ts';

/** One request to a server on this machine. */
interface LocalCall<S extends Schema> {
  readonly url: string;
  readonly call: RouteCall;
  readonly token?: string;
  readonly answer: S;
  /** Why another answer is of no use, for the error. */
  readonly why: string;
  /** How long the server may send nothing, in milliseconds. */
  readonly stallTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** The longest answer, in bytes. */
const maxBytes = 64 * 1024;

/**
 * Sends one request to a server on this machine, and closes the connection.
 * @throws SkulkError of the server's answer; STORE_UNREACHABLE if it does not answer, or with something else
 */
export async function callLocalServer<S extends Schema>(world: World, request: LocalCall<S>): Promise<Shape<S>> {
  const [{ createExchange }, { readJson }, { readAnswer }] = await Promise.all([
    import('../../client/http/exchange.ts'),
    import('../../client/http/read-body.ts'),
    import('../../client/http/read-answer.ts'),
  ]);
  const { call, answer, why, ...options } = request;
  const exchange = createExchange({ ...options, signal: world.signal, connections: 1, userAgent: `skulk/${world.version}` });
  const { url } = exchange;
  try {
    return readAnswer(answer, await exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog })), {
      url,
      why,
    });
  } finally {
    exchange.close();
  }
}
