import { isModelId, type ModelId } from '../kernel/model-id.ts';
import type { CompanionRole } from '../protocol/models/shown-model.ts';
import type { Companion } from './companions.ts';

/** The fields of a model card that skulk uses. */
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
  /** All of its keys, also those of other programs. */
  readonly table: CardTable;
}

/** The content of a card. */
export type CardTable = Readonly<Record<string, unknown>>;

/** Why a card is invalid, and where. */
export interface CardFault {
  /** Starts at 1; 0 for the whole file. */
  readonly line: number;
  readonly says: string;
}

/**
 * Reads the record of later Python releases, `installed-card.json`, which contains the card of its model. The record of a companion
 * contains the card of the model that needs it; then undefined.
 */
export function parseInstalledCard(text: string): Card | CardFault | undefined {
  try {
    return readInstalledCard(JSON.parse(text));
  } catch (error) {
    return { line: 1, says: (error as Error).message };
  }
}

/** The same of the record itself. */
export function readInstalledCard(record: unknown): Card | CardFault | undefined {
  const { model_card: card, artifact_role: role = 'base', artifact_model_id: modelId } = Object(record) as Table;
  if (role !== 'base') return undefined;
  if (!isTable(card)) return { line: 1, says: 'model_card is not an object' };
  // The model may have another id than the repo of its card.
  return cardOf({ ...card, model_id: modelId ?? card['model_id'] }, () => 1);
}

/**
 * What a card says.
 * @param lineOf the line of a key, from 1
 */
export function cardOf(table: CardTable, lineOf: (key: string) => number): Card | CardFault {
  const fault = (key: string, says: string): CardFault => ({ line: lineOf(key), says: `${key} ${says}` });
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
    capabilities: namesIn(capabilities),
    supportsTensor: typeof supportsTensor === 'boolean' ? supportsTensor : undefined,
    baseModel: textOf(table['base_model']),
    quantization: textOf(table['quantization']),
    family: textOf(table['family']),
    contextLength: Number.isSafeInteger(contextLength) && (contextLength as number) > 0 ? (contextLength as number) : undefined,
    ggufFile: textOf(table['gguf_file']),
    table,
  };
}

/** The Python program writes an empty list, 0 and empty text for what it does not know. */
function namesIn(value: unknown): readonly string[] | undefined {
  const names = Array.isArray(value) ? value.filter((one) => typeof one === 'string').slice(0, 100) : [];
  return names.length === 0 ? undefined : names;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined);

type Table = CardTable;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function section(table: Table, key: string): Table | undefined {
  const value = table[key] ?? {};
  return isTable(value) ? value : undefined;
}

const isMany = (value: unknown): boolean =>
  value === true || (typeof value === 'number' && value > 0) || (typeof value === 'bigint' && value > 0n);
