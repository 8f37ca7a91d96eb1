import { statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SkulkError } from '../errors.ts';
import { forbidMaking } from '../files/make-directory.ts';
import type { World } from '../world.ts';
import { readKnown, remember } from './known-stores.ts';

/*
 * Copies can be made again, so skulk recreates a staging directory that the user removed. A staging directory on a disk of its own is
 * different: if that disk is not mounted, skulk must not write copies to the bare mount point.
 */

const section = 'staging';
const markOf = (root: string): string => join(root, '.skulk', 'v1');

/** Says why a staging directory cannot be used now: its disk is not mounted. */
export async function whyUnmounted(skulkHome: string, root: string): Promise<SkulkError | undefined> {
  const mount = await knownMount(skulkHome, root);
  return mount === undefined || isMarked(root) || isMounted(mount) ? undefined : unmounted(root, mount);
}

/** Prevents this process from creating anything below a mount point while its disk is not mounted. */
export async function guardMount(skulkHome: string, root: string): Promise<void> {
  const mount = await knownMount(skulkHome, root);
  if (mount !== undefined && (isMounted(mount) || !isMarked(root))) guard(root, mount);
}

/** Remembers the disk of a staging directory, unless it is the system's disk. */
export async function rememberMount({ now, emit }: World, skulkHome: string, root: string): Promise<void> {
  const known = await knownMount(skulkHome, root);
  const mount = await mountOf(root);
  if (mount === known) return;
  const entry = mount === undefined ? undefined : { mount, seen_at: now().toISOString() };
  await remember(skulkHome, { section, key: root, entry, now: now(), emit });
  if (mount !== undefined) guard(root, mount);
}

const guarded = new Set<string>();

function guard(root: string, mount: string): void {
  if (guarded.has(root)) return;
  guarded.add(root);
  forbidMaking(markOf(root), () => (isMounted(mount) ? undefined : unmounted(root, mount)));
}

async function knownMount(skulkHome: string, root: string): Promise<string | undefined> {
  const mount = (await readKnown(skulkHome, section)).get(root)?.['mount'];
  return typeof mount === 'string' ? mount : undefined;
}

/** The nearest directory at or above a path that is a mount point of another disk; undefined on the disk of the root directory. */
async function mountOf(path: string): Promise<string | undefined> {
  let at = await realpath(path);
  let { dev } = await stat(at);
  for (;;) {
    const above = dirname(at);
    if (above === at) return undefined;
    const next = await stat(above);
    if (next.dev !== dev) return at;
    at = above;
    ({ dev } = next);
  }
}

function isMounted(mount: string): boolean {
  try {
    return statSync(mount).dev !== statSync(dirname(mount)).dev;
  } catch {
    return false;
  }
}

const isMarked = (root: string): boolean => statSync(markOf(root), { throwIfNoEntry: false })?.isDirectory() === true;

const unmounted = (root: string, mount: string): SkulkError =>
  new SkulkError('DISK_ABSENT', `the staging directory ${root} was on a disk that is no longer mounted at ${mount}`, {
    hint: `mount the disk, or set staging.node_cache_path to another directory; to use this path without that disk: mkdir -p ${markOf(root)}`,
  });
