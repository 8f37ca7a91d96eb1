import { type MadeToken, madeToken, type NamedToken, namedToken, type TokenBody, tokenList } from '../protocol/access.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { Schema, Shape } from '../protocol/schema.ts';
import { type ChangedPolicy, changedPolicy, type PolicyView, policyView } from '../protocol/settings.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

/** The tokens and the policy of a store behind HTTP; they require the role admin. */
export interface AccessClient {
  listTokens(): Promise<readonly NamedToken[]>;
  createToken(wanted: TokenBody): Promise<MadeToken>;
  revokeToken(name: string): Promise<NamedToken>;
  viewPolicy(): Promise<PolicyView>;
  changePolicy(changes: Readonly<Record<string, unknown>>): Promise<ChangedPolicy>;
}

const maxBytes = 1024 * 1024;

/** See `AccessClient`. */
export function createAccessClient(exchange: Exchange): AccessClient {
  const { url } = exchange;
  const ask = <S extends Schema>(schema: S, call: Call): Promise<Shape<S>> =>
    refuseForOther(exchange, 'have tokens or a policy', () =>
      exchange.send(call, async (response, watchdog) => {
        const answer = await readJson(response, { url, limit: maxBytes, watchdog });
        return readAnswer(schema, answer, { url, why: 'it does not answer requests for its tokens or its policy' });
      }),
    );
  return {
    listTokens: async () => (await ask(tokenList, callOf('GET /tokens', {}))).tokens,
    createToken: (wanted) => ask(madeToken, { ...callOf('POST /tokens', {}), json: wanted }),
    revokeToken: (name) => ask(namedToken, callOf('DELETE /tokens/:name', { name })),
    viewPolicy: () => ask(policyView, callOf('GET /policy', {})),
    changePolicy: (changes) => ask(changedPolicy, { ...callOf('PUT /policy', {}), json: changes }),
  };
}
