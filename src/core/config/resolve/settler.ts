import type { Origin, Setting } from '../settings.ts';

/** Picks the value of the source with the highest priority: defaults < file < environment < flags. */
export function settler(file: string | undefined, lineOf: (key: string) => number | undefined) {
  return <T>(
    fallback: T,
    inStore: readonly [key: string, value: T | undefined] | undefined,
    more: {
      file?: readonly [key: string, value: T | undefined];
      env?: readonly [name: string, value: T | undefined];
      flag?: readonly [name: string, value: T | undefined];
    } = {},
  ): Setting<T> => {
    const inFile = more.file ?? (inStore && ([`model_store.${inStore[0]}`, inStore[1]] as const));
    const candidates: readonly (readonly [T | undefined, Origin])[] = [
      [more.flag?.[1], { from: 'flag', name: more.flag?.[0] ?? '' }],
      [more.env?.[1], { from: 'environment', name: more.env?.[0] ?? '' }],
      [inFile?.[1], { from: 'file', file: file ?? '', line: lineOf(inFile?.[0] ?? ''), key: inFile?.[0] ?? '' }],
    ];
    for (const [value, origin] of candidates) if (value !== undefined) return { value, origin };
    return { value: fallback, origin: { from: 'default' } };
  };
}
