import { dirname } from 'node:path';
import { findServer } from '../../access/serve-record.ts';
import { parseTokenName } from '../../access/token-book.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { urlFromHere } from '../../connect/url-from-here.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { isDirectory } from '../../kernel/files/is-there.ts';
import { readLock } from '../../kernel/process/lock.ts';
import type { Lan, MadeToken, NamedToken, TokenBody } from '../../protocol/access.ts';
import type { ChangedPolicy, PolicyView } from '../../protocol/settings.ts';
import { storeLayout } from '../../store/layout.ts';
import { describeChanges, namesOfChanges } from '../settings/describe-changes.ts';
import { logOnDisk } from './log-change.ts';
import { openTokens } from './open-administration.ts';
import { changePolicy, policyChange, viewPolicy } from './store-policy.ts';

/** @throws SkulkError CONFLICT if the name is in use */
export async function createToken(deps: Deps, wanted: TokenBody): Promise<MadeToken> {
  parseTokenName(wanted.name);
  return administer(deps, {
    onDisk: async (root) => {
      const change = { action: 'create-token', target: wanted.name } as const;
      const made = await logOnDisk(deps, root, change, () => openTokens(deps, root).create(wanted));
      return { ...made, lan: await lanOf(deps, root) };
    },
    overHttp: (store) => store.createToken(wanted),
  });
}

/** The named tokens, without the tokens themselves. */
export async function listTokens(deps: Deps): Promise<{ readonly tokens: readonly NamedToken[] }> {
  return administer(deps, {
    onDisk: async (root) => ({ tokens: await openTokens(deps, root).list() }),
    overHttp: async (store) => ({ tokens: await store.listTokens() }),
  });
}

/** @throws SkulkError TOKEN_NOT_FOUND */
export async function revokeToken(deps: Deps, { name }: { readonly name: string }): Promise<NamedToken> {
  return administer(deps, {
    onDisk: (root) => logOnDisk(deps, root, { action: 'revoke-token', target: name }, () => openTokens(deps, root).revoke(name)),
    overHttp: (store) => store.revokeToken(name),
  });
}

/** The policy of the store. */
export async function showPolicy(deps: Deps): Promise<PolicyView> {
  return administer(deps, { onDisk: (root) => viewPolicy(root), overHttp: (store) => store.viewPolicy() });
}

/**
 * Sets one key of the policy, and gets the policy and the change in words.
 * @param value as typed; `default` resets the key
 * @throws SkulkError BAD_REQUEST
 */
export async function setPolicy(
  deps: Deps,
  { key, value }: { readonly key: string; readonly value: string },
): Promise<{ readonly view: PolicyView; readonly changed: string }> {
  const changes = policyChange(key, value);
  const describe = ({ before, policy: after }: ChangedPolicy, options?: { readonly isWhole: boolean }): string =>
    describeChanges(changes, before, { after, ...options });
  const result = await administer(deps, {
    onDisk: (root) =>
      logOnDisk(
        deps,
        root,
        { action: 'change-policy', target: namesOfChanges(changes) },
        () => changePolicy({ root, changes, signal: deps.world.signal }),
        (changed) => ({ target: describe(changed) }),
      ),
    overHttp: (store) => store.changePolicy(changes),
  });
  const { before: _, ...view } = result;
  return { view, changed: describe(result, { isWhole: true }) };
}

/** On the store host, the files on the disk are used, with or without a server. Elsewhere the store's server is asked. */
async function administer<T>(
  deps: Deps,
  {
    onDisk,
    overHttp,
  }: {
    readonly onDisk: (root: string) => Promise<T>;
    readonly overHttp: (store: NonNullable<Awaited<ReturnType<typeof openStore>>['access']>) => Promise<T>;
  },
): Promise<T> {
  const root = await ownRoot(deps);
  if (root !== undefined) return explainingDiskErrors(`cannot change files in ${root}`, () => onDisk(root));
  await using opened = await openStore(deps);
  if (opened.access !== undefined) return await overHttp(opened.access);
  throw new SkulkError('STORE_NOT_CONFIGURED', 'there is no store on this machine yet', {
    hint: 'start `skulk serve` once to create it',
  });
}

/** The directory of this machine's store; undefined if another machine hosts it. */
export async function ownRoot({ config }: Deps): Promise<string | undefined> {
  if (remoteUrl(config) !== undefined || !config.isStoreHost) return undefined;
  const configured = config.settings.storePath.value;
  if (await isStore(configured)) return configured;
  // A server may have been started with another directory than the one in the settings.
  const server = await findServer(config.skulkHome);
  if (server?.storePath != null && (await isStore(server.storePath))) return server.storePath;
  if (config.isStoreNamed)
    throw new SkulkError('STORE_NOT_CONFIGURED', `there is no store in ${configured} yet`, {
      hint: 'check that its disk is mounted; `skulk serve` creates a new store',
    });
  return undefined;
}

const isStore = (root: string): Promise<boolean> => isDirectory(dirname(storeLayout(root).policy));

/** The server's own answer counts: its environment may have another SKULK_TOKEN than this command's, or none. */
async function lanOf({ config, world }: Deps, root: string): Promise<Lan> {
  const holder = await readLock(storeLayout(root).lock).catch(() => undefined);
  const url = holder && urlFromHere(holder);
  if (url !== undefined) {
    const { askSession } = await import('../../client/session-client.ts');
    const asked = askSession({ url, signal: world.signal, userAgent: `skulk/${world.version}`, bearer: undefined });
    const answer = await asked.catch(() => undefined);
    if (answer?.state === 'refused') return 'none';
    if (answer?.state === 'known') return toLan(answer.lan);
  }
  if (config.settings.token.value !== undefined) return 'none';
  const { lan } = (await viewPolicy(root)).policy;
  return toLan(lan);
}

const toLan = (lan: unknown): Lan => (lan === 'read' || lan === 'none' ? lan : 'node');
