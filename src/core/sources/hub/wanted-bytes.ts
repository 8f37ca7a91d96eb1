import { quote } from '../../kernel/files/relative-path.ts';
import type { Asked } from './map-failure.ts';

/** The requested bytes; `end` is exclusive, and `isPart` is false for the whole file. */
export interface WantedBytes {
  readonly start: number;
  readonly end: number;
  readonly isPart: boolean;
}

/**
 * Parses the range of a request.
 * @param header its `Range`
 * @param size the size of the file; undefined if no file is requested
 */
export function readRange(header: string | null, size: number | undefined): WantedBytes | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(header ?? '') ?? [];
  if (start !== undefined) return { start: Number(start), end: Number(last) + 1, isPart: true };
  return size === undefined ? undefined : { start: 0, end: size, isPart: false };
}

/** Only requested bytes may be written to a file. @returns why an answer is unusable, as in `HOST …` */
export function whyUseless(
  { status, headers }: Response,
  wanted: WantedBytes | undefined,
  { asked, commit }: { readonly asked: Asked; readonly commit?: string },
): string | undefined {
  const path = quote(asked.path ?? '');
  const sent = headers.get('x-repo-commit');
  if (commit !== undefined && sent !== null && sent !== commit) return `answered with commit ${sent.slice(0, 40)} instead of ${commit}`;
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding !== 'identity')
    return `sent ${asked.path === undefined ? 'its answer' : path} compressed (${coding.slice(0, 20)}), which was not requested`;
  if (wanted === undefined) return undefined;
  const { start, end, isPart } = wanted;
  if (!isPart) {
    if (status !== 200) return `sent a part of ${path} instead of the whole file`;
    const length = headers.get('content-length');
    return length === null || Number(length) === end ? undefined : `sent ${length.slice(0, 20)} bytes of ${path}, which has ${end}`;
  }
  if (status !== 206) return `sent the whole file ${path} instead of a part`;
  const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  // Surplus bytes are cut off. A shorter answer is accepted, and the rest requested again.
  return first !== undefined && Number(first) === start && Number(last) >= start ? undefined : `sent other bytes of ${path} than requested`;
}
