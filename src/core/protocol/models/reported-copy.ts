import { countOrZero, flag, list, modelId, object, orNull, type Shape, text, time, verbatim } from '../schema.ts';
import { Type } from '../type-builder.ts';

const digestOfPart = Type.Optional(
  orNull(text({ maxLength: 64 }), 'Of its own files, to be compared with that of the store; absent if the node does not report it'),
);

/** A staged copy in its node's report. */
export const reportedCopy = object({
  model_id: modelId(),
  size_bytes: countOrZero(),
  last_used: time(),
  in_use: flag(),
  over_budget: flag('Whether it is evicted when the budget is next applied, unless used before'),
  quantizations: Type.Optional(
    list(
      object({
        selector: orNull(verbatim()),
        size_bytes: countOrZero(),
        last_used: time(),
        in_use: flag(),
        over_budget: flag(),
        digest: digestOfPart,
      }),
      {
        maxItems: 100,
        description:
          'Its quantizations, most recently used first; absent if the node does not report them. `selector` is null for other models',
      },
    ),
  ),
});
export type ReportedCopy = Shape<typeof reportedCopy>;
