import { stallMsOf } from '../kernel/env-seconds.ts';
import { SkulkError } from '../kernel/errors.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { resolveName } from '../kernel/machine/resolve-name.ts';
import { huggingFace, upstreamStore } from '../sources/hub/hub-name.ts';
import { isTransientHubError } from '../sources/hub/map-failure.ts';
import { readPolicy } from '../sources/hub/read-policy.ts';
import type { Source } from '../sources/source.ts';
import type { Deps } from './deps.ts';

/** Where models come from: the store in `serve --upstream`, otherwise the Hub in HF_ENDPOINT. */
export interface OpenedHub extends Disposable {
  readonly hub: Source;
}

const usual = 'https://huggingface.co';

/**
 * Hugging Face gets its own token, through this machine's proxy. An upstream store is on our own network: it is reached directly and
 * receives only SKULK_UPSTREAM_TOKEN.
 * @throws SkulkError CONFIG for an address or a token that cannot be used
 */
export async function openHub({ world, config }: Deps, { connections }: { readonly connections: number }): Promise<OpenedHub> {
  const [{ createHub }, { createOutboundFetch }] = await Promise.all([
    import('../sources/hub/hub.ts'),
    import('../client/http/outbound-fetch.ts'),
  ]);
  const upstream = config.settings.upstream.value;
  const endpoint = upstream === undefined ? await chooseEndpoint({ world, config }) : await checkUpstream(upstream, config.skulkHome);
  const token = (upstream === undefined ? config.settings.hubToken.value : world.env['SKULK_UPSTREAM_TOKEN'])?.trim();
  if (token !== undefined && token !== '' && !/^[\x21-\x7e]+$/.test(token))
    throw upstream === undefined
      ? new SkulkError('CONFIG', 'the Hugging Face token has invalid characters', { hint: 'copy it again from its page' })
      : new SkulkError('CONFIG', 'SKULK_UPSTREAM_TOKEN has invalid characters', { hint: 'copy it again' });
  const { fetch, close } = createOutboundFetch({ connectTimeoutMs: 15_000, connections: connections + 2, noProxy: upstream !== undefined });
  const hub = createHub({
    endpoint,
    token: token === '' ? undefined : token,
    fetch,
    userAgent: `skulk/${world.version}`,
    // Hugging Face itself never sends requests to this store.
    via: endpoint === usual ? undefined : config.nodeId,
    silenceMs: stallMsOf(world) ?? 30_000,
    of: upstream === undefined ? huggingFace : upstreamStore,
  });
  return { hub, [Symbol.dispose]: close };
}

/** The same for a server, which may never need it: it is opened at the first request, which fails if that is impossible. */
export function openHubLater(deps: Deps, options: { readonly connections: number }): OpenedHub {
  let opened: Promise<OpenedHub> | undefined;
  const { name, isStore } = deps.config.settings.upstream.value === undefined ? huggingFace : upstreamStore;
  const open = async (): Promise<Source> => {
    opened ??= openHub(deps, options);
    return (await opened).hub;
  };
  return {
    hub: {
      name,
      kind: isStore ? 'store' : 'hub',
      isTransient: isTransientHubError,
      retry: readPolicy,
      list: async (...asked) => (await open()).list(...asked),
      open: async function* (...asked) {
        yield* (await open()).open(...asked);
      },
    },
    [Symbol.dispose]: () => void opened?.then((hub) => hub[Symbol.dispose]()).catch(() => undefined),
  };
}

/**
 * The Hub in HF_ENDPOINT. `skulk env` sets it to the server of this machine, which would then call itself; in this case Hugging Face is
 * used.
 * @throws SkulkError CONFIG
 */
export async function chooseEndpoint({ world, config }: Pick<Deps, 'world' | 'config'>): Promise<string> {
  const endpoint = world.env['HF_ENDPOINT'] || usual;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new SkulkError('CONFIG', 'HF_ENDPOINT is not a valid URL', { hint: `use the form ${usual}` });
  if (!(await isOwnServer(url, config.skulkHome))) return endpoint;
  world.emit({
    type: 'warning',
    message: `HF_ENDPOINT is the address of this machine's own server (${url.origin}), so ${usual} is used instead`,
    hint: 'start skulk in a shell without the variables of `skulk env`',
  });
  return usual;
}

/** @throws SkulkError CONFIG for the address of this machine's own server */
async function checkUpstream(url: string, skulkHome: string): Promise<string> {
  if (!(await isOwnServer(new URL(url), skulkHome))) return url;
  throw new SkulkError('CONFIG', `--upstream ${url} is this store itself`, { hint: 'name another store' });
}

/** Whether the server of this machine has this URL, under any name of the machine. */
async function isOwnServer(url: URL, skulkHome: string): Promise<boolean> {
  const { findServer } = await import('../access/serve-record.ts');
  const server = await findServer(skulkHome);
  const ports = (server?.urls ?? []).map((own) => (URL.canParse(own) ? new URL(own).port : ''));
  if (url.port === '' || !ports.includes(url.port)) return false;
  return (await resolveName(url.hostname.replace(/^\[|\]$/g, ''))).some(isOwnAddress);
}

/**
 * @param isHere whether the user is at this machine, and its environment may be meant
 * @throws SkulkError HUB_OFFLINE when this machine may ask neither an upstream store nor Hugging Face
 */
export function requireOnline({ config }: Deps, { isHere = false }: { readonly isHere?: boolean } = {}): void {
  const { allowHubFallback, upstream } = config.settings;
  if (allowHubFallback.value || upstream.value !== undefined) return;
  const { origin } = allowHubFallback;
  const setting = origin.from === 'environment' ? `${origin.name} is set` : 'model_store.download.allow_hf_fallback is false';
  throw new SkulkError('HUB_OFFLINE', `downloads from Hugging Face are disabled, because ${setting}`, {
    hint: `${isHere && origin.from === 'environment' ? `unset ${origin.name} in the environment of this machine` : 'change this on the store host'}, or add the model with \`skulk add\``,
  });
}
