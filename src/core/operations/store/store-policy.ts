import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { leavesOf } from '../../config/change-file.ts';
import {
  changePolicyText,
  defaultPolicy,
  formsOfPolicyKey,
  type Policy,
  parsePolicy,
  parsePolicyValue,
  policyKeys,
  type ReadPolicy,
  readPolicy,
} from '../../config/policy.ts';
import { shownHubPolicy, shownSwarmPolicy } from '../../config/sharing-policy.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { readTextIfPresent } from '../../kernel/files/if-present.ts';
import { isThere } from '../../kernel/files/is-there.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { acquireLock } from '../../kernel/process/lock.ts';
import type { ChangedPolicy, PolicyView } from '../../protocol/settings.ts';
import { storeLayout } from '../../store/layout.ts';

/** The policy of the store on this machine's disk. */
export interface StorePolicy {
  /** The policy from the current file. A broken file changes nothing, and is reported once. */
  current(): Promise<Policy>;
  /** @throws SkulkError CONFIG for a broken file */
  view(): Promise<PolicyView>;
  /**
   * @param changes by key; null resets a key
   * @throws SkulkError BAD_REQUEST for invalid values, CONFIG for a broken file
   */
  change(changes: Readonly<Record<string, unknown>>): Promise<ChangedPolicy>;
}

/**
 * Many editors empty or move a file before they write it. So a file without `lan` opens the store only after it has been unchanged for
 * this long, in milliseconds.
 */
const settlesMs = 2_000;

/**
 * @param root of the store
 * @param now milliseconds of a monotonic clock
 * @throws SkulkError CONFIG if the file is broken
 */
export async function openStorePolicy({
  root,
  emit,
  signal,
  now: clock = () => performance.now(),
}: {
  readonly root: string;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now?: () => number;
}): Promise<StorePolicy> {
  const layout = storeLayout(root);
  const path = layout.policy;
  let stamp = await stampOf(path);
  let { policy } = (await readPolicy(path)) ?? nothing;

  let unset: { readonly stamp: string; readonly since: number } | undefined;
  /** Changes by requests: the requests are logged already. */
  const written = new Set<Policy>();
  const readAgain = async (): Promise<void> => {
    const now = await stampOf(path);
    if (unset?.stamp !== now) unset = undefined;
    if (now === stamp) return;
    // A disconnected disk does not change what the LAN may do.
    if (now === 'none' && !(await isThere(dirname(path)))) return;
    try {
      const read = (await readPolicy(path)) ?? nothing;
      const isWritten = [...written].some((one) => isDeepStrictEqual(one, read.policy));
      if (!isWritten && policy.lan !== defaultPolicy.lan && !read.given.includes('lan')) {
        unset ??= { stamp: now, since: clock() };
        if (clock() - unset.since < settlesMs) return;
      }
      // A command that changes the file on the disk sends no request that would be logged.
      if (!isWritten && !isDeepStrictEqual(policy, read.policy))
        emit({ type: 'note', message: `the policy has changed: ${JSON.stringify(shownPolicy(read.policy))}` });
      ({ policy } = read);
    } catch (error) {
      if (!(error instanceof SkulkError)) throw error;
      emit({ type: 'warning', message: `the previous policy stays in force: ${error.message}`, hint: error.hint });
    }
    stamp = now;
  };
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    running = readAgain().finally(() => {
      running = undefined;
    });
    return running;
  };
  /** A running read may have seen an older file. So this waits for a later one, which all waiting calls share. */
  const lookAgain = (): Promise<void> => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return running ?? start();
      });
    return next;
  };
  return {
    current: async () => {
      await lookAgain();
      return policy;
    },
    view: () => viewPolicy(root),
    change: async (changes) => {
      let own: Policy | undefined;
      try {
        const onWrite = (next: Policy): void => {
          own = next;
          written.add(next);
        };
        const view = await changePolicy({ root, changes, signal, onWrite });
        await lookAgain();
        return view;
      } finally {
        if (own !== undefined) written.delete(own);
      }
    },
  };
}

/** @throws SkulkError CONFIG for a broken file */
export async function viewPolicy(root: string): Promise<PolicyView> {
  const { policy: path } = storeLayout(root);
  return describe(path, (await readPolicy(path)) ?? nothing);
}

/** See `StorePolicy.change`. */
export async function changePolicy({
  root,
  changes,
  signal,
  onWrite,
}: {
  readonly root: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Called with the new policy right before it is written. */
  readonly onWrite?: (next: Policy) => void;
}): Promise<ChangedPolicy> {
  const { policy: path, policyLock } = storeLayout(root);
  return explainingDiskErrors(`cannot write ${path}`, async () => {
    await using _ = await acquireLock(policyLock, { purpose: 'a change of the policy', timeoutMs: 10_000, signal });
    // If the file is already broken, the error is not caused by this change.
    const { policy: policyBefore } = (await readPolicy(path)) ?? nothing;
    const before = await readTextIfPresent(path);
    const text = await changePolicyText(before, path, changes).catch((error: unknown) => {
      if (!(error instanceof SkulkError)) throw error;
      // The line number would refer to a text that nobody has seen.
      const message = error.message.replaceAll(/^.*?\.yaml(?::\d+)?(?::\d+)?: /gm, '');
      throw new SkulkError('BAD_REQUEST', message, {
        hint: /^correct th(at|ese) lines?$/.test(error.hint ?? '') ? hintFor(changes) : error.hint,
      });
    });
    if (text !== before) {
      onWrite?.((await parsePolicy(text, path)).policy);
      await writeFileDurably(path, text);
    }
    return { ...describe(path, (await readPolicy(path)) ?? nothing), before: shownPolicy(policyBefore) };
  });
}

/**
 * A change of one key, nested as in the file.
 * @param key with dots between its parts
 * @param text the value as typed
 * @throws SkulkError BAD_REQUEST
 */
export function policyChange(key: string, text: string): Readonly<Record<string, unknown>> {
  return key.split('.').reduceRight<unknown>((value, part) => ({ [part]: value }), parsePolicyValue(key, text)) as Record<string, unknown>;
}

function hintFor(changes: Readonly<Record<string, unknown>>): string {
  const forms = leavesOf(changes).flatMap(([keys]) => {
    const key = keys.join('.');
    const taken = formsOfPolicyKey(key);
    return taken === undefined ? [] : [`${key} takes ${taken}, or default`];
  });
  return forms.length > 0 ? forms.join('; ') : 'e.g. skulk policy set lan read; `skulk policy show` lists the keys';
}

const nothing: ReadPolicy = { policy: defaultPolicy, given: [] };

function describe(path: string, { policy, given }: ReadPolicy): PolicyView {
  return {
    path,
    policy: shownPolicy(policy),
    origin: Object.fromEntries(policyKeys.map((key) => [key, given.includes(key) ? 'file' : 'default'] as const)),
  };
}

/** The policy in the form of the file. */
const shownPolicy = (policy: Policy): PolicyView['policy'] => ({
  lan: policy.lan,
  server_names: policy.serverNames,
  limits: {
    forget_nodes_after_days: policy.limits.forgetNodesAfterDays,
    forget_nodes_with_copies_after_days: policy.limits.forgetNodesWithCopiesAfterDays,
    open_uploads: policy.limits.openUploads,
    upload_idle_days: policy.limits.uploadIdleDays,
  },
  hub: shownHubPolicy(policy.hub),
  swarm: shownSwarmPolicy(policy.swarm),
});

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return 'none';
    // A file without readable metadata is read, which then reports the error.
    return 'unknown';
  }
}
