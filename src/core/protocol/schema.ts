import type { Static, TProperties, TSchema } from 'typebox';
import type { ErrorCode } from '../kernel/errors.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { Type } from './type-builder.ts';

/*
 * The words in which the documents of this room are written. A schema is plain data; `decode` reads values by it, `Shape` is the type of
 * what comes out. `default` says what stands for a value that is missing or not possible; without it a document that lacks a required
 * value is none.
 */

/** A schema of any document. */
export type Schema = TSchema;

/** The type of a document, read only in all its parts. */
export type Shape<S extends TSchema> = Frozen<Static<S>>;

type Frozen<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : { readonly [K in keyof T]: Frozen<T[K]> };

/** The longest text that a schema allows if it does not say otherwise, in characters. */
export const usualMaxLength = 1000;

type TextOptions = {
  readonly description?: string;
  readonly default?: string;
  readonly minLength?: number;
  /** In characters; `usualMaxLength` when absent. */
  readonly maxLength?: number;
  /** Of an optional value: a document where it is given but not possible is none, as without it the document would mean more. */
  readonly isDecisive?: boolean;
};

/** A text for people; control characters are cleaned, and what is too long is cut. */
export const text = (options: TextOptions = {}) => Type.String(options);

/** A text that may be missing in what an older program writes. */
export const textOrEmpty = (description?: string) => Type.String({ default: '', ...(description !== undefined && { description }) });

/** A text that is taken as it is, or not at all: a name of a file. At most `maxLength` characters (4096). */
export const verbatim = (options: TextOptions = {}) => Type.String({ maxLength: 4096, ...options, format: 'verbatim' });

/** A text that passed a gate of `gates.ts`. */
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
/** One of the codes of `kernel/errors.ts`; null for a code that is not known here. */
export const errorCodeOrNull = () => orNull(gated<ErrorCode>('error-code'));
/** ISO 8601; empty when it is not known. */
export const time = (description?: string) =>
  Type.String({ format: 'iso-time', maxLength: 40, default: '', ...(description !== undefined && { description }) });

type CountOptions = {
  readonly description?: string;
  readonly default?: number;
};

/** A whole number that is not negative: a size in bytes, a count. */
export const count = (options: CountOptions = {}) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, ...options });
/** The same, 0 where it is missing. */
export const countOrZero = (description?: string) => count({ default: 0, ...(description !== undefined && { description }) });
/** A number that is not negative. */
export const amount = (options: CountOptions = {}) => Type.Number({ minimum: 0, ...options });
/** True or false; false where it is missing. */
export const flag = (description?: string) => Type.Boolean({ default: false, ...(description !== undefined && { description }) });

/** A value, or null where there is none. */
export const orNull = <S extends TSchema>(schema: S, description?: string) =>
  Type.Union([schema, Type.Null()], { default: null, ...(description !== undefined && { description }) });

type ListOptions = {
  readonly description?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  /** Empty where it is missing. */
  readonly default?: readonly never[];
};

/** A list. Items that are none are left out, and a list that is too long is cut. */
export const list = <S extends TSchema>(items: S, options: ListOptions = {}) => Type.Array(items, { ...options });
/** The same, empty where it is missing. */
export const listOrEmpty = <S extends TSchema>(items: S, options: ListOptions = {}) => list(items, { default: [], ...options });
/** A list whose items have numbers: with an item that is none, or with too many, the whole is none. */
export const wholeList = <S extends TSchema>(items: S, options: ListOptions = {}) => Type.Array(items, { ...options, isWhole: true });

/** One of some words. */
export const oneOf = <const T extends readonly string[]>(
  values: T,
  options: { readonly description?: string; readonly default?: T[number] } = {},
) => Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });

/** A document, or a part of one; further keys are left out. */
export const object = <P extends TProperties>(properties: P, options: { readonly description?: string } = {}) =>
  Type.Object(properties, options);

/** A body of a request, which may have no other keys. */
export const strictObject = <P extends TProperties>(properties: P, options: { readonly description?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });
