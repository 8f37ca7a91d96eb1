import type { EngineName } from '../../engines/contract.ts';
import { type ErrorCode, SkulkError } from '../../kernel/errors.ts';

/** One check of the diagnosis. */
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
    | 'promotion'
    | 'second store'
    | 'swarm'
    | `engine ${EngineName}`
    | 'versions';
  readonly status: 'ok' | 'warning' | 'problem' | 'skipped';
  /** The result, as a sentence without a full stop. */
  readonly found: string;
  /** What the user can do about it. */
  readonly todo: string | null;
  /** The code of a problem, for scripts. */
  readonly code: ErrorCode | null;
}

type Id = Check['id'];

/** The check passed. */
export const ok = (id: Id, found: string): Check => ({ id, status: 'ok', found, todo: null, code: null });
/** It works, but not optimally, or not for long. */
export const warning = (id: Id, found: string, todo: string): Check => ({ id, status: 'warning', found, todo, code: null });
/** The check does not apply here, or was not possible. */
export const skipped = (id: Id, found: string): Check => ({ id, status: 'skipped', found, todo: null, code: null });
/** It does not work. */
export const problem = (id: Id, found: string, todo: string, code: ErrorCode): Check => ({ id, status: 'problem', found, todo, code });

/** Turns a `SkulkError` into a problem. Any other error is a bug and is thrown again. */
export function problemOf(id: Id, error: unknown): Check {
  if (error instanceof SkulkError) return problem(id, error.message, error.hint ?? 'see the message', error.code);
  throw error;
}
