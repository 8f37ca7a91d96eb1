import { parse, TomlError } from 'smol-toml';
import { isModelId, type ModelId } from '../kernel/model-id.ts';
import type { CompanionRole } from '../protocol/models.ts';
import type { Companion } from './companions.ts';

/** The fields of a model card that skulk uses. All other keys belong to other programs and are ignored. */
export interface Card {
  readonly modelId: ModelId;
  readonly companions: readonly Companion[];
  /** Properties of the model itself; undefined if the card does not have them. */
  readonly capabilities: readonly string[] | undefined;
  readonly supportsTensor: boolean | undefined;
  readonly baseModel: string | undefined;
  readonly quantization: string | undefined;
  readonly family: string | undefined;
  readonly contextLength: number | undefined;
  /** The .gguf file of its repo that the card describes. */
  readonly ggufFile: string | undefined;
}

/** Why a card is invalid, and where. */
export interface CardFault {
  /** Starts at 1. */
  readonly line: number;
  readonly says: string;
}

/** Parses the text of a card (TOML). */
export function parseCard(text: string): Card | CardFault {
  let table: Table;
  try {
    table = parse(text, { maxDepth: 64 }) as Table;
  } catch (error) {
    if (error instanceof TomlError)
      return { line: error.line, says: error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '' };
    return { line: 1, says: error instanceof Error ? error.message : String(error) };
  }
  const fault = (key: string, says: string): CardFault => ({ line: lineOfKey(text, key), says: `${key} ${says}` });
  const modelId = table['model_id'];
  if (typeof modelId !== 'string' || !isModelId(modelId)) return fault('model_id', 'is not a model id');
  const vision = section(table, 'vision');
  const runtime = section(table, 'runtime');
  if (vision === undefined) return fault('vision', 'is not a table');
  if (runtime === undefined) return fault('runtime', 'is not a table');
  const heads = runtime['mtp_heads'] ?? table['mtp_heads'];
  const wanted: readonly (readonly [CompanionRole, string, unknown])[] = [
    ['vision', 'weights_repo', vision['weights_repo']],
    // A sidecar without prediction heads is not loaded.
    ['mtp', 'mtp_sidecar_repo', isMany(heads) ? (runtime['mtp_sidecar_repo'] ?? table['mtp_sidecar_repo']) : undefined],
    ['assistant', 'assistant_model_repo', runtime['assistant_model_repo'] ?? table['assistant_model_repo']],
  ];
  const companions: Companion[] = [];
  for (const [role, key, value] of wanted) {
    if (value === undefined || value === '' || value === modelId) continue;
    if (typeof value !== 'string' || !isModelId(value)) return fault(key, 'is not a model id');
    companions.push({ role, modelId: value });
  }
  const capabilities = table['capabilities'];
  const supportsTensor = table['supports_tensor'];
  const contextLength = table['context_length'];
  return {
    modelId,
    companions,
    capabilities: Array.isArray(capabilities) ? capabilities.filter((one) => typeof one === 'string').slice(0, 100) : undefined,
    supportsTensor: typeof supportsTensor === 'boolean' ? supportsTensor : undefined,
    baseModel: textOf(table['base_model']),
    quantization: textOf(table['quantization']),
    family: textOf(table['family']),
    contextLength: Number.isSafeInteger(contextLength) ? (contextLength as number) : undefined,
    ggufFile: textOf(table['gguf_file']),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined);

type Table = Readonly<Record<string, unknown>>;

function section(table: Table, key: string): Table | undefined {
  const value = table[key] ?? {};
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date) ? (value as Table) : undefined;
}

const isMany = (value: unknown): boolean =>
  value === true || (typeof value === 'number' && value > 0) || (typeof value === 'bigint' && value > 0n);

/** The line of a key or a section; 1 if it does not exist. */
function lineOfKey(text: string, key: string): number {
  const at = text.split('\n').findIndex((line) => new RegExp(`^\\s*(\\[\\s*)?["']?${key}["']?\\s*[=\\].]`).test(line));
  return at === -1 ? 1 : at + 1;
}
