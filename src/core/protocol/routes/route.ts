import type { Role } from '../../kernel/role.ts';
import type { Schema } from '../schema.ts';
import type { QueryName } from './query.ts';

/** An answer that is not a single JSON document: JSON lines, events, or bytes. */
export interface AnswerOfType {
  readonly type:
    | 'application/x-ndjson'
    | 'text/event-stream'
    | 'application/octet-stream'
    | 'application/vnd.docker.distribution.manifest.v2+json';
  /** The schema of a line, or of an event's data; undefined for bytes. */
  readonly schema?: Schema;
  readonly description?: string;
}

/** One route of a server, in its public description. */
export interface Route {
  /** The required role; `open` for any client. */
  readonly role: Role | 'open';
  /** Its purpose, as a sentence without a full stop. */
  readonly summary: string;
  /** Its query parameters. */
  readonly query?: readonly QueryName[];
  readonly body?: Schema;
  /** A request without a body counts as one with `{}`. */
  readonly isBodyOptional?: true;
  /** Its successful answers, by status. */
  readonly answers: Readonly<Record<number, Schema | AnswerOfType>>;
  /** The statuses of its errors, which all have one format. */
  readonly failures?: readonly number[];
  /** That format, if clients of other programs need a different one. */
  readonly failureBody?: Schema;
  /** Descriptions of URL parameters, if their names are not enough. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Its answer never ends. */
  readonly isEndless?: true;
  /** It changes nothing, despite its method. */
  readonly changesNothing?: true;
  /** Not for pages of other sites, although it changes nothing. */
  readonly ownPagesOnly?: true;
}

/** Routes by method and pattern, e.g. `GET /models/:id/files`; an id in a pattern is one segment, `org%2Fname`. */
export type Routes = Readonly<Record<`${'GET' | 'PUT' | 'POST' | 'DELETE'} /${string}`, Route>>;

/** An answer of JSON lines. */
export const lines = (schema: Schema): AnswerOfType => ({ type: 'application/x-ndjson', schema });
/** An answer of Server-Sent Events. */
export const events = (schema: Schema): AnswerOfType => ({ type: 'text/event-stream', schema });
/** An answer of bytes. */
export const bytes = (description: string): AnswerOfType => ({ type: 'application/octet-stream', description });

/** Whether an answer has another type than JSON. */
export const isOfType = (answer: Schema | AnswerOfType): answer is AnswerOfType =>
  typeof (answer as { type?: unknown }).type === 'string' && String((answer as { type?: unknown }).type).includes('/');
