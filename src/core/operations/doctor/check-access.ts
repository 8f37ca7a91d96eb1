import { lookupOfStore } from '../../client/http/lookup-of-store.ts';
import { askSession } from '../../client/session-client.ts';
import type { Deps } from '../../connect/deps.ts';
import { findByName } from '../../connect/store/store-over-http.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { viewPolicy } from '../store/store-policy.ts';
import { type Check, ok, problemOf, skipped } from './check.ts';
import type { Role } from './find-role.ts';

/** Checks what the LAN may do without a token, and how to change that. */
export async function checkAccess(deps: Deps, role: Pick<Role, 'url' | 'isHost'>): Promise<Check> {
  try {
    const lan = await findLan(deps, role);
    return lan === undefined ? skipped('access', 'there is no store to ask') : ok('access', sentences[lan]);
  } catch (error) {
    // Another check reports that the store does not answer.
    if (error instanceof SkulkError && error.code === 'STORE_UNREACHABLE')
      return skipped('access', 'the store did not report what the LAN may do');
    return problemOf('access', error);
  }
}

type Lan = 'node' | 'read' | 'none' | 'one secret' | 'no roles';

async function findLan(deps: Deps, { url, isHost }: Pick<Role, 'url' | 'isHost'>): Promise<Lan | undefined> {
  const { world, config } = deps;
  if (url === undefined) {
    if (!isHost) return undefined;
    if (config.settings.token.value !== undefined) return 'one secret';
    return toLan((await viewPolicy(config.settings.storePath.value)).policy['lan']);
  }
  const asking = { url, signal: world.signal, userAgent: `skulk/${world.version}` };
  const lookup = lookupOfStore({ ...asking, findByName: findByName(deps), carriesToken: false });
  const answer = await askSession({ ...asking, lookup, bearer: undefined });
  if (answer.state === 'known') return toLan(answer.lan);
  return answer.state === 'refused' ? 'none' : 'no roles';
}

const toLan = (lan: unknown): Lan => (lan === 'read' || lan === 'none' ? lan : 'node');

const sentences: Readonly<Record<Lan, string>> = {
  node: 'without a token the LAN may read and change models (role node); to close it: `skulk policy set lan none` on the store host',
  read: 'without a token the LAN may only read (role read); to change this: `skulk policy set lan none` or `lan node` on the store host',
  none: 'the LAN may do nothing without a token; on the store host, `skulk token create NAME --role node` creates a token, `skulk policy set lan node` opens the store',
  'one secret': 'the LAN may do nothing without the token that is set here; to open the store, unset SKULK_TOKEN or model_store.auth.token',
  'no roles': 'the store has no roles: without a token the LAN may do everything',
};
