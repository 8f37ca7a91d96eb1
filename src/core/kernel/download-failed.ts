import { type ErrorCode, type ErrorDetails, SkulkError } from './errors.ts';

/** A download that failed, with its reason for a sentence that names the model itself. */
export class DownloadFailed extends SkulkError {
  readonly reason: string;

  constructor(code: ErrorCode, { name, reason }: { readonly name: string; readonly reason: string }, details: ErrorDetails = {}) {
    super(code, `could not download ${name}: ${reason}`, details);
    this.reason = reason;
  }
}
