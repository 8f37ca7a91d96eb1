import {
  amount,
  count,
  countOrZero,
  errorCodeOrNull,
  flag,
  list,
  listOrEmpty,
  modelId,
  object,
  oneOf,
  orNull,
  type Shape,
  sha256,
  text,
  textOrEmpty,
  verbatim,
} from './schema.ts';
import { Type } from './type-builder.ts';

export const engineName = oneOf(['llama', 'optiq', 'mlx']);

const bits = () => Type.Number({ minimum: 1, maximum: 16 });
const widths = () => list(Type.Integer({ minimum: 2, maximum: 8 }), { minItems: 1, maxItems: 6 });

/** The options of a variant; null means absent. */
export const optimizeBody = object({
  target_bpw: Type.Optional(orNull(bits(), 'Maximum bits per weight (4.5)')),
  candidate_bits: Type.Optional(orNull(widths(), 'The bit widths that optiq may use (4 and 8)')),
  engine: Type.Optional(orNull(engineName, 'Default: the first installed one that can read the weights')),
  type: Type.Optional(
    orNull(text({ minLength: 1, maxLength: 32 }), 'A type of the engine, such as `Q4_K_M` or `mixed_4_6`; overrides `target_bpw`'),
  ),
  selector: Type.Optional(orNull(verbatim({ minLength: 1 }), 'The GGUF weights to read; default: the largest unquantized ones')),
  as: Type.Optional(orNull(modelId(), 'The id of the result; default: made from the id of the source')),
  threads: Type.Optional(orNull(Type.Integer({ minimum: 1, maximum: 1024 }), 'Default: half of the processors of the store host')),
  allow_requantize: Type.Optional(Type.Boolean({ description: 'Accept weights that are already quantized; this loses quality' })),
  force: Type.Optional(Type.Boolean({ description: 'Replace a model with the id of the result' })),
  join: Type.Optional(
    Type.Boolean({ description: 'If the same optimization is running or waiting, answer 200 with its state instead of 409' }),
  ),
});
export type OptimizeBody = Shape<typeof optimizeBody>;

/** The status of an optimization; sizes in bytes, times ISO 8601. The camel-case keys are those of the Python Skulk. */
export const optimizationStatus = object(
  {
    modelId: modelId('The source'),
    status: oneOf(['pending', 'analyzing', 'optimizing', 'converting', 'complete', 'failed']),
    progress: Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'From 0 to 1' }),
    message: textOrEmpty('The current step'),
    resultPath: orNull(verbatim(), 'The directory of the result on the store host'),
    targetBpw: orNull(amount(), 'Bits per weight of the request; null if a type was requested'),
    achievedBpw: orNull(amount(), 'Bits per weight of the result'),
    estimatedSizeMb: orNull(amount(), 'Of the result, in units of 1,000,000 bytes'),
    error: orNull(text()),
    targetId: modelId('The result'),
    engine: engineName,
    engineVersion: orNull(text()),
    type: text(),
    selector: orNull(verbatim()),
    bytes_done: countOrZero('Of the weights of the source'),
    bytes_total: countOrZero(),
    bytes_per_second: orNull(amount(), 'Averaged over the last seconds; null while unknown'),
    seconds_left: orNull(amount()),
    warnings: listOrEmpty(text()),
    error_code: errorCodeOrNull(),
    hint: orNull(text()),
    created_at: textOrEmpty(),
    updated_at: textOrEmpty(),
  },
  { description: 'The state of an optimization' },
);
export type OptimizationStatus = Shape<typeof optimizationStatus>;

/** Running optimizations, and the last finished ones. */
export const optimizationList = object({ optimizations: list(optimizationStatus) });

/** The variant that would be made; sizes in bytes. */
export const optimizationPlan = object({
  modelId: modelId('The source'),
  targetId: modelId('The result'),
  engine: engineName,
  engineVersion: orNull(text()),
  program: text({ maxLength: 4096, description: 'On the store host' }),
  type: text(),
  bits: amount({ description: 'Bits per weight' }),
  bytes: count({ description: 'Of the weights of the result' }),
  is_exact: flag('Whether the engine itself computed them'),
  source_bytes: count({ description: 'Of the weights that are read' }),
  room_bytes: count({ description: 'The space that the work needs on the disk of the store' }),
  free_bytes: count({ description: 'The free space there' }),
  files: list(verbatim(), { description: 'The files that are read, weights first' }),
  warnings: listOrEmpty(text()),
  state: oneOf(['new', 'complete', 'taken'], {
    description: '`complete`: the store has exactly this variant; `taken`: it has another model with that id, which only `force` replaces',
  }),
});
export type OptimizationPlan = Shape<typeof optimizationPlan>;

const { bytes_per_second: _rate, seconds_left: _left, ...kept } = optimizationStatus.properties;
/** An optimization in its saved form (docs/on-disk-format.md, "optimizations/"). */
export const optimizationRecord = object({
  ...kept,
  request: object({
    source_digest: sha256(),
    arguments: listOrEmpty(text(), { maxItems: 50 }),
    candidate_bits: orNull(widths()),
    threads: orNull(count()),
    allow_requantize: flag(),
    force: flag(),
  }),
});
