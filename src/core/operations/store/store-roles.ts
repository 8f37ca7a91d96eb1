import type { SessionAnswer } from '../../client/session-client.ts';
import type { Policy } from '../../config/policy.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/secret.ts';
import type { NamedToken } from '../../protocol/access.ts';

/** What those may do here who show nothing. */
export type LanPolicy = Pick<Policy, 'lan' | 'serverNames'> & {
  readonly hub: Pick<Policy['hub'], 'corsOrigins'>;
  /** Whether the store has ever said it to this machine; else it is what a store without roles lets the LAN do. */
  readonly isSaid: boolean;
};

/** What a node knows of who may do what: its store says it. */
export interface StoreRoles {
  /** What the LAN may do here. What the store said last holds while it is away. */
  policy(): Promise<LanPolicy>;
  /**
   * Whose token this is.
   * @throws SkulkError STORE_UNREACHABLE, STORE_NOT_CONFIGURED when the store cannot be asked
   */
  findToken(token: string): Promise<Pick<NamedToken, 'role' | 'name'> | undefined>;
}

/** What this machine remembers over a restart of what the LAN may do. */
export interface LanMemory {
  /** Of the store at this URL; the least of all stores while it is not known which one this node will find. */
  read(url: string | undefined): Promise<unknown>;
  write(url: string, lan: Policy['lan']): Promise<void>;
}

/** How long an answer holds, in milliseconds: a token that was revoked is over here within that time. */
const believedMs = 60_000;
/** How long it holds what the LAN may do, in milliseconds: a node that is closed must know it before its store goes away. */
export const lanBelievedMs = 5_000;
/** A token that was just made is known here after that. */
const refusedMs = 2_000;
/** A store that does not answer is not asked again for as long. */
const awayMs = 5_000;
const maxTokens = 1_000;

/**
 * @param now milliseconds of a clock that only goes forward
 * @param memory a node that is started while its store is away is no more open than before
 */
export function createStoreRoles(
  link: Pick<StoreLink, 'session' | 'url'>,
  { now = () => performance.now(), memory }: { readonly now?: () => number; readonly memory?: LanMemory | undefined } = {},
): StoreRoles {
  let lan: Policy['lan'] | undefined;
  let serverNames: readonly string[] = [];
  let corsOrigins: readonly string[] = [];
  let askAgain = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const known = new Map<string, { readonly until: number; readonly found: Pick<NamedToken, 'role' | 'name'> | undefined }>();

  const recall = async (url: string | undefined): Promise<Policy['lan'] | undefined> => {
    const before = await memory?.read(url);
    return before === 'node' || before === 'read' || before === 'none' ? before : undefined;
  };
  const askLan = async (): Promise<void> => {
    try {
      const answer = await link.session(undefined);
      const said = lanOf(answer);
      serverNames = answer.state === 'known' ? answer.server_names : [];
      corsOrigins = answer.state === 'known' ? answer.cors_origins : [];
      askAgain = now() + lanBelievedMs;
      const url = link.url();
      if (said !== lan && url !== undefined) await memory?.write(url, said);
      lan = said;
    } catch (error) {
      if (!(error instanceof SkulkError)) throw error;
      askAgain = now() + awayMs;
      lan ??= await recall(link.url());
    }
  };
  return {
    policy: async () => {
      // A store that nobody has found yet is not looked for because of this.
      if (link.url() !== undefined && now() >= askAgain) {
        asking ??= askLan().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      const said = lan ?? (link.url() === undefined ? await recall(undefined) : undefined);
      return { lan: said ?? 'node', isSaid: said !== undefined, serverNames, hub: { corsOrigins } };
    },
    findToken: async (token) => {
      const digest = digestOf(token);
      const before = known.get(digest);
      if (before !== undefined && before.until > now()) return before.found;
      known.delete(digest);
      const found = tokenOf(
        await link.session(token).catch((error: unknown) => {
          if (!(error instanceof SkulkError)) throw error;
          throw new SkulkError(error.code, `cannot ask the store about this token: ${error.message}`, {
            hint: error.hint,
            cause: error,
          });
        }),
      );
      for (const [oldest] of known) {
        if (known.size < maxTokens) break;
        known.delete(oldest);
      }
      known.set(digest, { until: now() + (found === undefined ? refusedMs : believedMs), found });
      return found;
    },
  };
}

/** A store without roles lets the LAN do what a node does, unless it wants a token. */
function lanOf(answer: SessionAnswer): Policy['lan'] {
  if (answer.state === 'refused') return 'none';
  return answer.state === 'known' && (answer.lan === 'read' || answer.lan === 'none') ? answer.lan : 'node';
}

/** The keys of the store host are for that machine alone. */
function tokenOf(answer: SessionAnswer): Pick<NamedToken, 'role' | 'name'> | undefined {
  if (answer.state !== 'known') return undefined;
  if (answer.credential === 'named') return { role: answer.role, name: answer.name ?? '' };
  return answer.credential === 'token' ? { role: answer.role, name: 'of the store' } : undefined;
}
