import type { Static, TProperties, TSchema } from 'typebox';
import type { ErrorCode } from '../kernel/errors.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { Type } from './type-builder.ts';

/*
 * The vocabulary of the documents in this room. A schema is plain data; `decode` reads values with it, and `Shape` is the type of the
 * result. `default` replaces a missing or invalid value; without it, a document with a missing required value is invalid.
 */

/** A schema of any document. */
export type Schema = TSchema;

/** The type of a document, deeply read-only. */
export type Shape<S extends TSchema> = Frozen<Static<S>>;

type Frozen<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : { readonly [K in keyof T]: Frozen<T[K]> };

/** The default length limit of a text, in characters. */
export const usualMaxLength = 1000;

type TextOptions = {
  readonly description?: string;
  readonly default?: string;
  readonly minLength?: number;
  /** In characters; by default `usualMaxLength`. */
  readonly maxLength?: number;
  /**
   * For an optional value: if it is present but invalid, the whole document is invalid, because without it the document would mean more.
   */
  readonly isDecisive?: boolean;
};

/** A text for users; control characters are removed, and a too long text is cut. */
export const text = (options: TextOptions = {}) => Type.String(options);

/** A text that may be missing in an older program's data. */
export const textOrEmpty = (description?: string) => Type.String({ default: '', ...(description !== undefined && { description }) });

/** A text that is either accepted unchanged or rejected, such as a file name. At most `maxLength` characters (4096). */
export const verbatim = (options: TextOptions = {}) => Type.String({ maxLength: 4096, ...options, format: 'verbatim' });

/** A text that one of the validators in `gates.ts` has accepted. */
const gated = <T extends string>(format: string, description?: string) =>
  Type.Unsafe<T>({ type: 'string', format, ...(description !== undefined && { description }) });

/** `org/name` or `name`. */
export const modelId = (description?: string) => gated<ModelId>('model-id', description);
/** The id of a machine. */
export const nodeId = (description?: string) => gated<NodeId>('node-id', description);
/** 64 hexadecimal digits. */
export const sha256 = (description?: string) => gated<Sha256>('sha256', description);
/** A file's path inside a model. */
export const relativePath = (description?: string) => gated<RelativePath>('relative-path', description);
/** One of the codes in `kernel/errors.ts`; null for an unknown code. */
export const errorCodeOrNull = () => orNull(gated<ErrorCode>('error-code'));
/** ISO 8601; empty if unknown. */
export const time = (description?: string) =>
  Type.String({ format: 'iso-time', maxLength: 40, default: '', ...(description !== undefined && { description }) });

type CountOptions = {
  readonly description?: string;
  readonly default?: number;
};

/** A non-negative integer: a size in bytes, a count. */
export const count = (options: CountOptions = {}) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, ...options });
/** The same; 0 if missing. */
export const countOrZero = (description?: string) => count({ default: 0, ...(description !== undefined && { description }) });
/** A non-negative number. */
export const amount = (options: CountOptions = {}) => Type.Number({ minimum: 0, ...options });
/** True or false; false if missing. */
export const flag = (description?: string) => Type.Boolean({ default: false, ...(description !== undefined && { description }) });

/** A value, or null if there is none. */
export const orNull = <S extends TSchema>(schema: S, description?: string) =>
  Type.Union([schema, Type.Null()], { default: null, ...(description !== undefined && { description }) });

type ListOptions = {
  readonly description?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  /** Empty if missing. */
  readonly default?: readonly never[];
};

/** A list. Invalid items are removed, and a too long list is cut. */
export const list = <S extends TSchema>(items: S, options: ListOptions = {}) => Type.Array(items, { ...options });
/** The same; empty if missing. */
export const listOrEmpty = <S extends TSchema>(items: S, options: ListOptions = {}) => list(items, { default: [], ...options });
/** A list whose items have positions: with an invalid item, or too many, the whole list is invalid. */
export const wholeList = <S extends TSchema>(items: S, options: ListOptions = {}) => Type.Array(items, { ...options, isWhole: true });

/** One of several words. */
export const oneOf = <const T extends readonly string[]>(
  values: T,
  options: { readonly description?: string; readonly default?: T[number] } = {},
) => Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });

/** A document, or a part of one; other keys are dropped. */
export const object = <P extends TProperties>(properties: P, options: { readonly description?: string } = {}) =>
  Type.Object(properties, options);

/** A request body, which must not have other keys. */
export const strictObject = <P extends TProperties>(properties: P, options: { readonly description?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });
