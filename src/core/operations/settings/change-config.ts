import { chmod, readFile, realpath, stat } from 'node:fs/promises';
import { type ConfigChange, changeConfigText, leavesOf, valueAt } from '../../config/change-file.ts';
import { checkDirectory } from '../../config/check-paths.ts';
import { effectiveConfig } from '../../config/describe.ts';
import type { ReadConfig } from '../../config/read-file.ts';
import { overrideOf } from '../../config/resolve/override-of.ts';
import type { Config } from '../../config/settings.ts';
import { holdsSecret } from '../../config/shared-keys.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { createSerialQueues } from '../../kernel/flow/serial-queue.ts';
import type { World } from '../../kernel/world.ts';
import type { ConfigView } from '../../protocol/settings.ts';
import { whyNotStagingDirectory } from '../../staging/staging-directory.ts';
import { whyNotStoreDirectory } from '../../store/disk/store-directory.ts';
import { describeChanges } from './describe-changes.ts';
import { maxChangeableBytes, noContent, readSaved, resolveSaved, savedConfigPath, sizeOfSaved, tooLarge } from './saved-config.ts';
import { describeSaved } from './view-config.ts';

/** The result of a change. */
export interface ConfigChanged extends ConfigView {
  /** The keys whose values changed in the file. */
  readonly changed: readonly string[];
}

/** The options of `changeConfig`. */
interface ChangeOptions {
  /** Nested as in the file; null removes a key. */
  readonly change: ConfigChange;
  /** Only validate. */
  readonly dryRun: boolean;
  /** Called after a change with its settings in words, see `describeChanges`. */
  readonly onChanged?: ((what: string) => void) | undefined;
}

/** The changes of each file run one after the other. */
const changes = createSerialQueues<string>();

/**
 * Writes settings to the configuration file. Everything else stays, including secrets and comments.
 * @throws SkulkError BAD_REQUEST for invalid settings; CONFLICT if the file is broken; PERMISSION, NO_SPACE
 */
export async function changeConfig(deps: Deps, options: ChangeOptions): Promise<ConfigChanged> {
  const path = savedConfigPath(deps);
  return await changes.run(path, () => changeNow(deps, path, options));
}

async function changeNow(deps: Deps, path: string, { change, dryRun, onChanged }: ChangeOptions): Promise<ConfigChanged> {
  checkSizes(change);
  const size = await sizeOfSaved(path);
  if (size > maxChangeableBytes) throw tooLarge('CONFLICT', path, size);
  const read = await readSaved(path).catch((error: unknown) => {
    if (!(error instanceof SkulkError)) throw error;
    throw new SkulkError('CONFLICT', error.message, { hint: `correct the file first: ${error.hint ?? path}`, cause: error });
  });
  const text = read === undefined ? emptyFile : await readFile(path, 'utf8');
  const before = resolveSaved(deps, path, read ?? noContent);
  const effective = effectiveConfig(before);
  const isNews = ([keys, value]: ReturnType<typeof leavesOf>[number]): boolean =>
    JSON.stringify(valueAt(effective, keys)) !== JSON.stringify(value);
  const leaves = leavesOf(change).filter(isNews);
  const news = leaves.map(([keys, value]) => [placeFor(deps, read, keys), value] as const);
  const {
    text: changed,
    after,
    hasSecret,
  } = refusing(() => {
    const result = changeConfigText(text, path, news);
    return { text: result.text, after: resolveSaved(deps, path, result.read), hasSecret: holdsSecret(result.read.content) };
  });
  const bytes = Buffer.byteLength(changed);
  if (bytes > maxChangeableBytes) throw tooLarge('BAD_REQUEST', path, bytes);
  await checkNewPaths(deps.world, before, after);
  if (!dryRun && news.length > 0 && changed !== text) await write(path, changed, { isNew: read === undefined, hasSecret });
  if (!dryRun && leaves.length > 0) onChanged?.(describeChanges(change, effective, { isNews }));
  const view = await describeSaved(deps, path, after, { exists: read !== undefined || (!dryRun && news.length > 0), problem: null });
  return { changed: news.map(([keys]) => keys.join('.')), ...view };
}

const emptyFile = '# Configuration of skulk; `man 5 skulk-config` describes every key.\n';

const maxLeaves = 200;
/** No path, secret, or list of them is longer. */
const maxValueLength = 4096;
const maxListLength = 16 * 1024;

function checkSizes(change: ConfigChange): void {
  const leaves = leavesOf(change);
  if (leaves.length > maxLeaves)
    throw new SkulkError('BAD_REQUEST', `the request changes ${leaves.length} settings; the limit is ${maxLeaves}`, {
      hint: 'send them in several requests',
    });
  for (const [keys, value] of leaves) {
    const isTooLong = typeof value === 'string' ? value.length > maxValueLength : JSON.stringify(value ?? null).length > maxListLength;
    if (isTooLong || keys.some((key) => key.length > maxValueLength))
      throw new SkulkError('BAD_REQUEST', `the value of ${keys.join('.').slice(0, 80)} is too long`, {
        hint: 'GET /config/schema describes the values',
      });
  }
}

/** The position of this machine's value of a key: a staging setting may be overridden for this machine. */
function placeFor({ world, config }: Deps, read: ReadConfig | undefined, keys: readonly string[]): readonly string[] {
  const [section, part, key] = keys;
  if (section !== 'model_store' || part !== 'staging' || key === undefined) return keys;
  const override = overrideOf(read?.content.model_store ?? {}, {
    hostname: world.hostname,
    nodeId: config.nodeId,
    aliases: config.aliases,
  });
  if (override === undefined || !Object.hasOwn(override.staging, key)) return keys;
  return ['model_store', 'node_overrides', override.name, 'staging', key];
}

/** An error in the file's new content is the client's mistake. */
function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    throw new SkulkError('BAD_REQUEST', error.message, { hint: error.hint, cause: error });
  }
}

async function checkNewPaths({ homeDirectory }: World, before: Config, after: Config): Promise<void> {
  const { storePath, nodeCachePath } = after.settings;
  const places = { homeDirectory, skulkHome: after.skulkHome };
  const refuse = (name: string, path: string, why: string | undefined): void => {
    if (why === undefined) return;
    throw new SkulkError('BAD_REQUEST', `${name} ${path} ${why}`, { hint: 'use an empty directory' });
  };
  try {
    if (storePath.value !== before.settings.storePath.value) {
      if (after.isStoreHost) await checkDirectory(storePath.value, 'store_path', { mayBeMissing: false });
      refuse('store_path', storePath.value, await whyNotStoreDirectory(storePath.value, places));
    }
    if (nodeCachePath.value !== before.settings.nodeCachePath.value) {
      await checkDirectory(nodeCachePath.value, 'node_cache_path', { mayBeMissing: true });
      refuse('node_cache_path', nodeCachePath.value, await whyNotStagingDirectory(nodeCachePath.value, places));
    }
  } catch (error) {
    refusing(() => {
      throw error;
    });
  }
}

/** A link stays a link. If the file cannot be written, its mode and content stay unchanged. */
async function write(
  path: string,
  text: string,
  { isNew, hasSecret }: { readonly isNew: boolean; readonly hasSecret: boolean },
): Promise<void> {
  await explainingDiskErrors(`cannot write ${path}`, async () => {
    const target = isNew ? path : await realpath(path);
    const before = isNew ? 0o600 : (await stat(target)).mode & 0o7777;
    // A file with a secret is only readable by its owner. For a link, this applies to its target.
    const mode = hasSecret ? before & 0o700 : before;
    await writeFileDurably(target, text, { mode });
    await chmod(target, mode);
  });
}
