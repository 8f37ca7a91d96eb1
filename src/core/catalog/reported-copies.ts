import { isModelId, type ModelId } from '../kernel/model-id.ts';

/** A staged copy as its node tells of it. */
export interface ReportedCopy {
  readonly model_id: ModelId;
  readonly size_bytes: number;
  /** ISO 8601. */
  readonly last_used: string;
  readonly in_use: boolean;
  /** Whether the budget evicts it when it is next applied, unless it is used before. */
  readonly over_budget: boolean;
}

/** So many copies a node tells of; of more, those that were used last. */
export const mostReportedCopies = 1000;

/** The gate for copies that another machine tells of: what cannot be one is left out, and null is no list. Pure. */
export function parseReportedCopies(value: unknown): readonly ReportedCopy[] | null {
  if (!Array.isArray(value)) return null;
  return value.slice(0, mostReportedCopies).flatMap((one: unknown) => {
    const { model_id, size_bytes, last_used, in_use, over_budget } = (one ?? {}) as Partial<Record<keyof ReportedCopy, unknown>>;
    if (typeof model_id !== 'string' || !isModelId(model_id)) return [];
    return [
      {
        model_id,
        size_bytes: Number.isSafeInteger(size_bytes) && (size_bytes as number) >= 0 ? (size_bytes as number) : 0,
        last_used: typeof last_used === 'string' && !Number.isNaN(Date.parse(last_used)) ? new Date(last_used).toISOString() : '',
        in_use: in_use === true,
        over_budget: over_budget === true,
      },
    ];
  });
}
