import { deriveTraits, type Tag, type Traits } from '../../catalog/traits.ts';
import { isModelId } from '../../kernel/model-id.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type {
  Adopted,
  BadFile,
  CountedEntry,
  DescribedEntry,
  RegistryEntry,
  StoreHealth,
  VerifiedModel,
  VerifyReport,
} from '../../store/contract.ts';
import { clean, notAStore } from './map-failure.ts';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOr = <T>(value: unknown, fallback: T): string | T => (typeof value === 'string' ? clean(value) : fallback);
const bytesOr = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : fallback;

/** A store's health; what an older store does not tell is empty. Throws STORE_UNREACHABLE for anything else. */
export function checkHealth(value: unknown, url: string): StoreHealth {
  if (!isObject(value) || typeof value['store_path'] !== 'string' || typeof value['free_bytes'] !== 'number')
    throw notAStore(url, 'its health is not that of a store');
  return {
    store_path: clean(value['store_path']),
    free_bytes: bytesOr(value['free_bytes'], 0),
    total_bytes: bytesOr(value['total_bytes'], 0),
    used_bytes: bytesOr(value['used_bytes'], 0),
    models: bytesOr(value['models'], 0),
    version: textOr(value['version'], ''),
    node_id: textOr(value['node_id'], null),
    hostname: textOr(value['hostname'], ''),
    time: textOr(value['time'], null),
    instance: textOr(value['instance'], null),
    advertised: checkAdvertised(value['advertised']),
  };
}

function checkAdvertised(value: unknown): StoreHealth['advertised'] {
  if (!isObject(value) || typeof value['url'] !== 'string' || !URL.canParse(value['url'])) return null;
  const { protocol, origin } = new URL(value['url']);
  return protocol === 'http:' || protocol === 'https:' ? { url: origin, because: textOr(value['because'], '') } : null;
}

/** A store's registry. One entry that cannot be used does not hide the others. Throws STORE_UNREACHABLE when it is no list. */
export function checkRegistry(value: unknown, url: string): readonly RegistryEntry[] {
  if (!Array.isArray(value)) throw notAStore(url, 'its registry is not a list');
  return value.flatMap((entry) => toEntry(entry) ?? []);
}

/** The same with what each model is; an older store does not tell. */
export function checkDescribed(value: unknown, url: string): readonly DescribedEntry[] {
  if (!Array.isArray(value)) throw notAStore(url, 'its registry is not a list');
  return value.flatMap((item) => {
    const entry = toEntry(item);
    return entry === undefined ? [] : { ...entry, ...toTraits(entry, item as Fields) };
  });
}

/** A registry in which files are only counted. */
export function checkCounted(value: unknown, url: string): readonly CountedEntry[] {
  if (!Array.isArray(value)) throw notAStore(url, 'its registry is not a list');
  return value.flatMap((item) => {
    const entry = toEntry(item);
    if (entry === undefined) return [];
    const { files: _, ...rest } = entry;
    return { ...rest, ...toTraits(entry, item as Fields), file_count: bytesOr((item as Fields)['file_count'], 0) };
  });
}

function toTraits({ model_id, files }: RegistryEntry, fields: Fields): Traits {
  const texts = (given: unknown): readonly string[] =>
    Array.isArray(given) ? given.filter((one) => typeof one === 'string').map(clean) : [];
  if (!Array.isArray(fields['tags'])) return deriveTraits({ modelId: model_id, files });
  const { supports_tensor, context_length } = fields;
  return {
    tags: texts(fields['tags']).filter((tag): tag is Tag => knownTags.has(tag)),
    capabilities: texts(fields['capabilities']),
    supports_tensor: typeof supports_tensor === 'boolean' ? supports_tensor : null,
    base_model: textOr(fields['base_model'], null),
    quantization: textOr(fields['quantization'], null),
    family: textOr(fields['family'], null),
    context_length: Number.isSafeInteger(context_length) ? (context_length as number) : null,
  };
}

const knownTags: ReadonlySet<string> = new Set<Tag>(['vision', 'thinking', 'embedding', 'tensor', 'optiq']);

function toEntry(value: unknown): RegistryEntry | undefined {
  if (!isObject(value)) return undefined;
  const { model_id, store_path, files, downloaded_at, total_bytes, repo_has_projector } = value;
  if (typeof model_id !== 'string' || !isModelId(model_id)) return undefined;
  return {
    model_id,
    store_path: textOr(store_path, ''),
    files: Array.isArray(files) ? files.filter((path) => typeof path === 'string') : [],
    downloaded_at: textOr(downloaded_at, ''),
    total_bytes: bytesOr(total_bytes, 0),
    repo_has_projector: typeof repo_has_projector === 'boolean' ? repo_has_projector : null,
  };
}

const outcomes = ['added', 'adopted', 'replaced', 'unchanged'] as const;

/** What an adoption came to. Throws STORE_UNREACHABLE. */
export function checkAdopted(value: unknown, url: string): Adopted {
  const entry = isObject(value) ? toEntry(value['entry']) : undefined;
  const outcome = isObject(value) ? outcomes.find((known) => known === value['outcome']) : undefined;
  const digest = isObject(value) ? value['digest'] : undefined;
  if (entry === undefined || outcome === undefined || !isSha256(digest)) throw notAStore(url, 'it does not say what became of the model');
  return { entry, digest, outcome };
}

const statuses = ['ok', 'incomplete', 'damaged', 'missing', 'repaired', 'unregistered'] as const;
const problems = ['missing', 'size', 'content', 'unreadable', 'unusable'] as const;

/** What a verification found. Throws STORE_UNREACHABLE. */
export function checkVerifyReport(value: unknown, url: string): VerifyReport {
  if (!isObject(value) || typeof value['ok'] !== 'boolean' || !Array.isArray(value['models']))
    throw notAStore(url, 'it does not say what it verified');
  return { ok: value['ok'], models: value['models'].filter(isObject).map(toVerified) };
}

function toVerified({ model_id, status, bad_files, note }: Fields): VerifiedModel {
  const files = Array.isArray(bad_files) ? bad_files.filter(isObject) : [];
  return {
    model_id: textOr(model_id, ''),
    // An unknown status is not a reason to call a model well.
    status: statuses.find((known) => known === status) ?? 'damaged',
    bad_files: files.map(
      ({ path, problem, reason }): BadFile => ({
        path: textOr(path, ''),
        problem: problems.find((known) => known === problem) ?? 'unreadable',
        ...(typeof reason === 'string' && { reason: clean(reason) }),
      }),
    ),
    ...(typeof note === 'string' && { note: clean(note) }),
  };
}
