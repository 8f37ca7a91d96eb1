import { ApiError } from './api-error.ts';
import { readChunks } from './read-chunks.ts';

/** Reads an answer of the form `{"progress"}`… `{"result"}` or `{"error"}`, one JSON on a line. */
export async function readJsonLines<T>(response: Response, onProgress: (done: number, total: number) => void): Promise<T> {
  let rest = '';
  for await (const text of readChunks(response)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') continue;
      const { progress, result, error } = JSON.parse(line) as Line<T>;
      if (result !== undefined) return result;
      if (error !== undefined) throw new ApiError(error.message, { status: 500, code: error.code, hint: error.hint });
      if (progress !== undefined) onProgress(progress.bytes_done, progress.bytes_total);
    }
  }
  throw new ApiError('the server closed the connection without a result', { status: 0, code: '', hint: 'try again' });
}

interface Line<T> {
  readonly progress?: { readonly bytes_done: number; readonly bytes_total: number };
  readonly result?: T;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string | null };
}
