import { quote } from '../../kernel/files/relative-path.ts';
import type { Asked } from './map-failure.ts';

/** Bytes that are asked for; `end` is exclusive, and `isPart` false where all of the file is meant. */
export interface WantedBytes {
  readonly start: number;
  readonly end: number;
  readonly isPart: boolean;
}

/**
 * Reads what a request asks for.
 * @param header its `Range`
 * @param size that of the file; undefined when no file is asked for
 */
export function readRange(header: string | null, size: number | undefined): WantedBytes | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(header ?? '') ?? [];
  if (start !== undefined) return { start: Number(start), end: Number(last) + 1, isPart: true };
  return size === undefined ? undefined : { start: 0, end: size, isPart: false };
}

/** Nothing but what was asked for may be written to a file. @returns why an answer is not that, as in `HOST …` */
export function whyUseless(
  { status, headers }: Response,
  wanted: WantedBytes | undefined,
  { asked, commit }: { readonly asked: Asked; readonly commit?: string },
): string | undefined {
  const path = quote(asked.path ?? '');
  const sent = headers.get('x-repo-commit');
  if (commit !== undefined && sent !== null && sent !== commit) return `answers with commit ${sent.slice(0, 40)} instead of ${commit}`;
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding !== 'identity')
    return `sends ${asked.path === undefined ? 'its answer' : path} compressed (${coding.slice(0, 20)}), which was not asked for`;
  if (wanted === undefined) return undefined;
  const { start, end, isPart } = wanted;
  if (!isPart) {
    if (status !== 200) return `sends a part of ${path} where all of it was asked for`;
    const length = headers.get('content-length');
    return length === null || Number(length) === end ? undefined : `sends ${length.slice(0, 20)} bytes of ${path}, which has ${end}`;
  }
  if (status !== 206) return `sends all of ${path} where a part of it was asked for`;
  const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  // More than was asked for is cut off; less is taken, and the rest asked for again.
  return first !== undefined && Number(first) === start && Number(last) >= start
    ? undefined
    : `sends other bytes of ${path} than were asked for`;
}
