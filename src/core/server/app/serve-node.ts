import type { Deps } from '../../connect/deps.ts';
import { requireTokenDestination } from '../../connect/guard-token.ts';
import { createStoreLink } from '../../connect/store-link.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { readKnown, remember } from '../../kernel/machine/known-stores.ts';
import { openCopyHub } from '../../operations/nodes/open-copy-hub.ts';
import { createStoreRoles, type LanMemory, lanBelievedMs } from '../../operations/store/store-roles.ts';
import { createAccess } from '../access/access.ts';
import type { Served, Serving } from './serving.ts';

/**
 * Starts a node: its connection to the store, which may be found or started later.
 * @param report called with messages before the server is ready
 */
export async function serveNode({ deps, request, keys, atEnd }: Serving, report: Emit): Promise<Served> {
  const { storeUrl, enabled } = deps.config.settings;
  if (storeUrl.origin.from === 'environment')
    report({
      type: 'warning',
      message: `${storeUrl.origin.name} is set to ${storeUrl.value}, so this machine serves as a node of that store`,
      hint: `to serve a store here, unset ${storeUrl.origin.name} or use --role store`,
    });
  requireTokenDestination(deps);
  const link = createStoreLink(deps, { mdns: request.mdns });
  atEnd(() => link.close());
  if (enabled.value)
    await link.deps().catch((error: unknown) => {
      if (!(error instanceof SkulkError)) throw error;
      report({ type: 'warning', message: error.message, hint: error.hint });
    });
  const roles = createStoreRoles(link, { memory: lanMemory(deps) });
  // Also without requests to this node: the store's last answer decides what the node serves while the store is unreachable.
  const asking = setInterval(() => void roles.policy().catch(() => undefined), lanBelievedMs).unref();
  atEnd(async () => clearInterval(asking));
  const copies = openCopyHub(deps, link);
  atEnd(async () => copies[Symbol.asyncDispose]());
  return {
    deps,
    link,
    copies,
    access: createAccess({
      token: deps.config.settings.token.value,
      ...keys,
      policy: enabled.value ? roles.policy : undefined,
      storeLan: enabled.value ? async () => (await roles.policy()).lan : undefined,
      findToken: enabled.value ? roles.findToken : undefined,
    }),
    storeUrl: (enabled.value ? link.url() : undefined) ?? null,
    storePath: null,
    fleet: enabled.value ? link.fleet : undefined,
  };
}

/** Saved beside this machine's other data about stores. A disk error must not prevent answers. */
function lanMemory({ config: { skulkHome }, world: { now, emit } }: Deps): LanMemory {
  const section = 'lan';
  return {
    read: async (url) => {
      const known = await readKnown(skulkHome, section).catch(() => undefined);
      if (url !== undefined) return known?.get(url)?.['lan'];
      const roles = [...(known?.values() ?? [])].map((entry) => entry['lan']);
      return (['none', 'read'] as const).find((lan) => roles.includes(lan));
    },
    write: async (key, lan) => {
      const known = await readKnown(skulkHome, section).catch(() => undefined);
      if (known?.get(key)?.['lan'] === lan) return;
      await remember(skulkHome, { section, key, entry: { lan }, now: now(), emit }).catch((error: unknown) =>
        emit({ type: 'warning', message: describeFailure('cannot save the rights of the LAN', error) }),
      );
    },
  };
}
