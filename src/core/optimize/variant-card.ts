import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Card, CardTable } from '../catalog/card-table.ts';
import { cardNames } from '../catalog/read-card.ts';
import type { EnginePlan } from '../engines/contract.ts';
import type { ModelId } from '../kernel/model-id.ts';

/** Keys about the exact content of the source, which do not apply to a variant. */
const ofOtherBytes: ReadonlySet<string> = new Set([
  'is_custom',
  'registry_card_id',
  'registry_snapshot_id',
  'registry_provenance',
  'source_repository',
  'source_revision',
  'artifact_bundle',
]);

/** The facts about a variant that its card contains. */
interface VariantFacts {
  readonly targetId: ModelId;
  readonly plan: Pick<EnginePlan, 'suffix' | 'outputFile'>;
  /** Of its weights. */
  readonly bytes: number;
}

/** The card of a variant: the card of its source with its own id, weights and base model. Pure. */
export function variantCard({ table, modelId, baseModel }: Card, { targetId, plan, bytes }: VariantFacts): CardTable {
  const { gguf_file: _, ...kept } = withoutNull(table) as Record<string, unknown>;
  const stays = Object.entries(kept).filter(([key]) => !ofOtherBytes.has(key));
  return {
    ...Object.fromEntries(stays),
    model_id: targetId,
    quantization: plan.suffix.replace(/^-/, ''),
    base_model: baseModel ?? modelId,
    storage_size: { in_bytes: bytes },
    ...(plan.outputFile !== undefined && { gguf_file: basename(plan.outputFile) }),
  };
}

/** Writes that card beside the files of a variant. */
export async function writeVariantCard(directory: string, card: Card, facts: VariantFacts): Promise<void> {
  const { formatCard } = await import('../catalog/card.ts');
  await writeFile(join(directory, cardNames(facts.targetId).text), formatCard(variantCard(card, facts)));
}

/** TOML has no null. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNull);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item == null ? [] : [[key, withoutNull(item)]])));
}
