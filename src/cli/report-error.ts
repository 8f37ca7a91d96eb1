import { errorCodes, SkulkError } from '../core/kernel/errors.ts';
import { explainAnySystemError } from '../core/kernel/explain-system-error.ts';
import { findMissingPart } from '../core/kernel/process/missing-part.ts';
import type { Terminal } from './terminal.ts';

/**
 * Reports an error on stderr, and returns the exit status. With `json`, the last line is one JSON document. A plain Error is reported as
 * a bug; its stack is only shown with `verbose`.
 */
export function reportError(error: unknown, terminal: Terminal, { json, verbose }: { json: boolean; verbose: boolean }): number {
  terminal.vacate();
  const known = explainAnySystemError(error);
  const { code, message, hint } = known instanceof SkulkError ? known : (describeMissingPart(error) ?? describeBug(error));
  if (verbose && error instanceof Error && !(error instanceof SkulkError)) terminal.say(error.stack ?? '');
  if (verbose && error instanceof SkulkError && error.cause instanceof Error) terminal.say(`caused by: ${error.cause.message}`);
  if (json) {
    const document = JSON.stringify({
      error: { code, message: terminal.clean(message), hint: hint === undefined ? null : terminal.clean(hint) },
    });
    terminal.stderr.write(`${terminal.clean(document)}\n`);
  } else {
    const inRed = (name: string): string => (terminal.color ? `\u001b[31m${name}\u001b[39m` : name);
    terminal.stderr.write(`${terminal.present(`skulk: ${message}`).replace(/^skulk:/, inRed)}\n`);
    if (hint !== undefined) terminal.say(`hint: ${hint}`);
  }
  return known instanceof SkulkError ? errorCodes[known.code].exit : 1;
}

function describeBug(error: unknown): { code: string; message: string; hint: string } {
  const message = (error instanceof Error ? error.message || error.name : String(error)) || 'an error without a message';
  return {
    code: 'BUG',
    message: `${message} (this is a bug in skulk)`,
    hint: 'please report it with the output of --verbose',
  };
}

function describeMissingPart(error: unknown): { code: string; message: string; hint: string } | undefined {
  const file = findMissingPart(error);
  if (file === undefined) return undefined;
  return {
    code: 'BUG',
    message: `this installation is incomplete: ${file} is missing`,
    hint: 'it may be rebuilt or upgraded right now: try again; otherwise install skulk again, in a clone with `npm ci`',
  };
}
