import { mostReportedCopies } from '../../catalog/reported-copies.ts';

/** JSON schemas of what nodes and orders are told by; see schemas.ts. */
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const open = { type: 'object', additionalProperties: true } as const;
const bytes = { type: ['integer', 'null'], minimum: 0 } as const;

const copiesSchema = {
  type: ['array', 'null'],
  description: 'Newest use first; over_budget: the budget evicts it when it is next applied',
  maxItems: mostReportedCopies,
  items: {
    type: 'object',
    required: ['model_id', 'size_bytes', 'last_used', 'in_use', 'over_budget'],
    properties: {
      model_id: { ...text, maxLength: 200 },
      size_bytes: { ...count, maximum: Number.MAX_SAFE_INTEGER },
      last_used: { ...text, maxLength: 40 },
      in_use: { type: 'boolean' },
      over_budget: { type: 'boolean' },
    },
  },
} as const;

/** What a node says of itself. */
export const reportBodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['hostname', 'version', 'agent', 'staged_models', 'staged_bytes', 'free_bytes'],
  properties: {
    hostname: { ...text, maxLength: 253 },
    version: { ...text, maxLength: 64 },
    agent: { type: 'boolean', description: 'Whether it keeps a stream of orders open' },
    staged_models: bytes,
    staged_bytes: bytes,
    free_bytes: bytes,
    copies: copiesSchema,
    budget_bytes: { ...bytes, description: 'What idle copies may take together; null when nothing is evicted by itself' },
  },
} as const;

export const nodeSchema = {
  ...open,
  description: 'A node that reported; sizes in bytes, null where it did not look',
  properties: {
    node_id: text,
    hostname: text,
    version: text,
    agent: { type: 'boolean' },
    address: { type: ['string', 'null'] },
    last_seen: text,
    connected: { type: 'boolean' },
    pending_orders: count,
    staged_models: bytes,
    staged_bytes: bytes,
    free_bytes: bytes,
    copies: copiesSchema,
    budget_bytes: bytes,
  },
} as const;

const nodesField = {
  type: 'array',
  minItems: 1,
  maxItems: 1024,
  items: { ...text, maxLength: 64 },
  description: 'Only on these nodes, by id; on every node when absent',
} as const;

export const orderBodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: {
    kind: { const: 'purge', description: 'Remove staged copies; canonical ones stay' },
    model_id: { type: ['string', 'null'], maxLength: 200, description: 'Only this model' },
    force: { type: 'boolean', description: 'Also what is in use' },
    nodes: nodesField,
  },
} as const;

export const outcomeBodySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['status', 'freed_bytes', 'reason'],
  properties: {
    status: { enum: ['done', 'deferred', 'failed'] },
    freed_bytes: { ...count, maximum: Number.MAX_SAFE_INTEGER },
    reason: { type: ['string', 'null'], maxLength: 2000 },
  },
} as const;

export const orderSchema = {
  ...open,
  description: 'An order and how it stands on each node: pending, done, deferred (in use) or failed',
  properties: {
    order_id: text,
    seq: count,
    kind: { enum: ['evict', 'purge'] },
    model_id: { type: ['string', 'null'] },
    force: { type: 'boolean' },
    given_at: text,
    nodes: { type: 'array', items: open },
  },
} as const;

export const purgeBodySchema = {
  type: 'object',
  additionalProperties: false,
  properties: { model_id: { type: ['string', 'null'], maxLength: 200 }, force: { type: 'boolean' }, nodes: nodesField },
} as const;
