import { parseStoreUrl } from '../config/resolve/store-address.ts';
import { readStoreIdentity } from '../store/disk/store-identity.ts';
import { storeLayout } from '../store/layout.ts';
import type { Deps } from './deps.ts';

/**
 * The dependencies for a store on this disk. A promoted store takes nothing from an upstream store, even if a service still names one:
 * it is the canonical store now.
 */
export async function withoutReplaced(deps: Deps, root: string): Promise<Deps> {
  const { world, config } = deps;
  const { value: url, origin } = config.settings.upstream;
  if (url === undefined) return deps;
  const identity = await readStoreIdentity(storeLayout(root)).catch(() => undefined);
  if (identity === undefined || identity === 'damaged' || identity.promoted === undefined) return deps;
  world.emit({
    type: 'warning',
    message: `${origin.from === 'flag' || origin.from === 'environment' ? origin.name : 'the upstream store'} ${url} is ignored: this store was promoted instead of ${identity.promoted.instead_of}`,
    hint: 'remove that setting; `skulk store promote --undo` makes it a store behind another one again',
  });
  return { ...deps, config: { ...config, settings: { ...config.settings, upstream: { value: undefined, origin: { from: 'default' } } } } };
}

/** The URL of the store to replace, as typed. @throws SkulkError CONFIG */
export const parseReplacedUrl = (text: string): string =>
  parseStoreUrl(text, { from: 'flag', name: '--instead-of' }, 'SKULK_UPSTREAM_TOKEN');
