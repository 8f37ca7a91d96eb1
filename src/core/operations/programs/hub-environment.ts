import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { findEndpoint, type HubEndpoint } from './find-endpoint.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The changes to the environment of a program that uses a store. */
export interface HubEnvironment {
  readonly endpoint: string;
  /** Without the token. */
  readonly set: Readonly<Record<string, string>>;
  /** Only variables that are set now. */
  readonly unset: readonly string[];
  /** Whether HF_TOKEN gets the token of the store. */
  readonly takesToken: boolean;
}

/** The variables where programs look for a Hugging Face token. */
const hubTokens = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HUGGINGFACE_TOKEN'] as const;
/** Variables that prevent requests, or send them elsewhere. */
const inTheWay = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'MODEL_ENDPOINT'] as const;
const proxies = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'] as const;

/**
 * Plans the variables that Hugging Face clients need for a store: its address, and no proxy. Removes a Hugging Face token, because it
 * would cross the LAN unencrypted. Pure; docs/recipes/README.md lists which program reads which variable.
 * @param env the current environment
 */
export function planEnvironment(
  { address, takesToken }: { readonly address: string; readonly takesToken: boolean },
  env: Environment,
): HubEnvironment {
  const isGiven = (name: string): boolean => env[name] !== undefined && env[name] !== '';
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '');
  const past = proxies.some(isGiven) ? pastProxy(env, host) : {};
  return {
    endpoint: address,
    set: { HF_ENDPOINT: address, ...(!takesToken && { HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), ...past },
    unset: [...(takesToken ? [...hubTokens.slice(1), 'HF_HUB_DISABLE_IMPLICIT_TOKEN'] : hubTokens), ...inTheWay].filter(isGiven),
    takesToken,
  };
}

/** Some programs read the lower-case name first. */
function pastProxy(env: Environment, host: string): Readonly<Record<string, string>> {
  const named = [env['no_proxy'], env['NO_PROXY']].find((value) => value !== undefined && value !== '');
  const hosts = (named ?? '').split(',').map((one) => one.trim());
  const all = hosts.includes(host) || hosts.includes('*') ? (named ?? '') : [named, host].filter((one) => one !== undefined).join(',');
  return { NO_PROXY: all, no_proxy: all };
}

/** What `skulk env` prints. */
export interface ShellEnvironment extends HubEnvironment {
  /** Whether the shell has that token in SKULK_TOKEN. */
  readonly isTokenInShell: boolean;
}

/**
 * The variables for a shell whose programs should use the store.
 * @throws SkulkError those of `findHub`; TOKEN_WITHHELD if the store requires a token that may not be sent there
 */
export async function findEnvironment(deps: Deps): Promise<ShellEnvironment> {
  const hub = await findHub(deps);
  const { token } = deps.config.settings;
  if (hub.needsToken && token.value !== undefined && hub.withheld !== undefined) throw hub.withheld;
  return {
    ...planEnvironment({ address: hub.address, takesToken: hub.needsToken || mayHelp(hub, token.value) }, deps.world.env),
    isTokenInShell: token.origin.from === 'environment',
  };
}

/** Whether a token gives a program more rights than the LAN has: to fetch missing models. */
export const mayHelp = ({ lan, withheld }: HubEndpoint, token: string | undefined): boolean =>
  lan === 'read' && token !== undefined && withheld === undefined;

/** @throws SkulkError as `findEndpoint`; CONFIG if the server is not a Hub */
export async function findHub(deps: Deps): Promise<HubEndpoint> {
  const endpoint = await findEndpoint(deps);
  if (endpoint.problem !== undefined)
    throw new SkulkError('CONFIG', endpoint.problem, { hint: 'use a staged copy: `skulk stage`, or `skulk run` without --hf' });
  return endpoint;
}
