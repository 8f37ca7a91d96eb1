import type { SessionAnswer } from '../../client/session-client.ts';
import type { Policy } from '../../config/policy.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/secret.ts';
import type { NamedToken } from '../../protocol/access.ts';

/** The rights of clients without a token here. */
export type LanPolicy = Pick<Policy, 'lan' | 'serverNames'> & {
  readonly hub: Pick<Policy['hub'], 'corsOrigins'>;
  /** Whether the store has ever reported it to this machine. Otherwise it is the default of a store without roles. */
  readonly isSaid: boolean;
};

/** What a node knows about roles, from its store. */
export interface StoreRoles {
  /** The rights of the LAN here. The store's last answer counts while the store is unreachable. */
  policy(): Promise<LanPolicy>;
  /**
   * Finds the owner of a token.
   * @throws SkulkError STORE_UNREACHABLE, STORE_NOT_CONFIGURED if the store cannot be asked
   */
  findToken(token: string): Promise<Pick<NamedToken, 'role' | 'name'> | undefined>;
}

/** Remembers the rights of the LAN across a restart of this machine's server. */
export interface LanMemory {
  /** The rights for the store at this URL; the lowest rights of all stores while it is unknown which one this node will find. */
  read(url: string | undefined): Promise<unknown>;
  write(url: string, lan: Policy['lan']): Promise<void>;
}

/** How long an answer counts, in milliseconds: a revoked token is rejected here after at most that time. */
const believedMs = 60_000;
/** How long the answer about the LAN counts, in milliseconds: a node must know that it is closed before its store disappears. */
export const lanBelievedMs = 5_000;
/** A new token is accepted here at most this long after it was made, in milliseconds. */
const refusedMs = 2_000;
/** How long an unreachable store is not asked again, in milliseconds. */
const awayMs = 5_000;
const maxTokens = 1_000;

/**
 * @param now milliseconds of a monotonic clock
 * @param memory the remembered rights: a node that starts while its store is unreachable must not be more open than before
 */
export function createStoreRoles(
  link: Pick<StoreLink, 'session' | 'url'>,
  { now = () => performance.now(), memory }: { readonly now?: () => number; readonly memory?: LanMemory | undefined } = {},
): StoreRoles {
  let lan: Policy['lan'] | undefined;
  let remembered: Policy['lan'] | undefined;
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
      // At once: other requests do not wait for the disk.
      lan = said;
      const url = link.url();
      if (said === remembered || url === undefined) return;
      await memory?.write(url, said);
      remembered = said;
    } catch (error) {
      if (!(error instanceof SkulkError)) throw error;
      askAgain = now() + awayMs;
      lan ??= await recall(link.url());
    }
  };
  return {
    policy: async () => {
      // This must not start a search for a store.
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

/** A store without roles gives the LAN the role of a node, unless it requires a token. */
function lanOf(answer: SessionAnswer): Policy['lan'] {
  if (answer.state === 'refused') return 'none';
  return answer.state === 'known' && (answer.lan === 'read' || answer.lan === 'none') ? answer.lan : 'node';
}

/** The keys of the store host are only valid on that machine. */
function tokenOf(answer: SessionAnswer): Pick<NamedToken, 'role' | 'name'> | undefined {
  if (answer.state !== 'known') return undefined;
  if (answer.credential === 'named') return { role: answer.role, name: answer.name ?? '' };
  return answer.credential === 'token' ? { role: answer.role, name: 'of the store' } : undefined;
}
