import type { Role } from '../../kernel/role.ts';
import type { Schema } from '../schema.ts';
import type { QueryName } from './query.ts';

/** An answer that is no JSON document of its own: lines of JSON, events, or bytes. */
export interface AnswerOfType {
  readonly type:
    | 'application/x-ndjson'
    | 'text/event-stream'
    | 'application/octet-stream'
    | 'application/vnd.docker.distribution.manifest.v2+json';
  /** Of a line, or of the data of an event; undefined of bytes. */
  readonly schema?: Schema;
  readonly description?: string;
}

/** One request that a server answers, as everybody sees it. */
export interface Route {
  /** Who may use it; `open` for everybody, whatever they show. */
  readonly role: Role | 'open';
  /** What it does, as a sentence without its end. */
  readonly summary: string;
  /** What it takes after the `?`. */
  readonly query?: readonly QueryName[];
  readonly body?: Schema;
  /** A request without a body is one with `{}`. */
  readonly isBodyOptional?: true;
  /** What it answers when all is well, by status. */
  readonly answers: Readonly<Record<number, Schema | AnswerOfType>>;
  /** The statuses of its failures, which are all answered in one shape. */
  readonly failures?: readonly number[];
  /** That shape, where other programs want another one than ours. */
  readonly failureBody?: Schema;
  /** A part of its URL, where its name does not say it all. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Its answer never ends by itself. */
  readonly isEndless?: true;
  /** It changes nothing, although its method says that it may. */
  readonly changesNothing?: true;
  /** Not for pages of other sites, although it changes nothing. */
  readonly ownPagesOnly?: true;
}

/** Routes by method and pattern, e.g. `GET /models/:id/files`; an id in a pattern is one segment, `org%2Fname`. */
export type Routes = Readonly<Record<`${'GET' | 'PUT' | 'POST' | 'DELETE'} /${string}`, Route>>;

/** What is answered by lines of JSON. */
export const lines = (schema: Schema): AnswerOfType => ({ type: 'application/x-ndjson', schema });
/** What is answered by Server-Sent Events. */
export const events = (schema: Schema): AnswerOfType => ({ type: 'text/event-stream', schema });
/** What is answered by bytes. */
export const bytes = (description: string): AnswerOfType => ({ type: 'application/octet-stream', description });

/** Whether an answer is of another type than JSON. */
export const isOfType = (answer: Schema | AnswerOfType): answer is AnswerOfType =>
  typeof (answer as { type?: unknown }).type === 'string' && String((answer as { type?: unknown }).type).includes('/');
