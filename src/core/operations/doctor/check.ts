import type { EngineName } from '../../engines/contract.ts';
import { type ErrorCode, SkulkError } from '../../kernel/errors.ts';

/** One thing that a person would look at when something is wrong. */
export interface Check {
  readonly id:
    | 'configuration'
    | 'secrets'
    | 'role'
    | 'address'
    | 'store'
    | 'access'
    | 'clock'
    | 'store path'
    | 'models'
    | 'staging path'
    | 'staging'
    | 'budget'
    | `engine ${EngineName}`
    | 'versions';
  readonly status: 'ok' | 'warning' | 'problem' | 'skipped';
  /** What was found, as a sentence without a full stop. */
  readonly found: string;
  /** What to do about it. */
  readonly todo: string | null;
  /** What a problem is to a script. */
  readonly code: ErrorCode | null;
}

type Id = Check['id'];

/** It is as it should be. */
export const ok = (id: Id, found: string): Check => ({ id, status: 'ok', found, todo: null, code: null });
/** It works, but not as it could, or not for long. */
export const warning = (id: Id, found: string, todo: string): Check => ({ id, status: 'warning', found, todo, code: null });
/** It means nothing here, or could not be looked at. */
export const skipped = (id: Id, found: string): Check => ({ id, status: 'skipped', found, todo: null, code: null });
/** It does not work. */
export const problem = (id: Id, found: string, todo: string, code: ErrorCode): Check => ({ id, status: 'problem', found, todo, code });

/** A failure that skulk foresaw, as a problem. Any other error is a bug and goes on. */
export function problemOf(id: Id, error: unknown): Check {
  if (error instanceof SkulkError) return problem(id, error.message, error.hint ?? 'see the message', error.code);
  throw error;
}
