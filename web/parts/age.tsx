import type { ReactElement } from 'react';
import { formatAge, formatDate } from './format.ts';
import { useNow } from './use-now.ts';

/** The age of a time; the date on demand. */
export function Age({ at }: { readonly at: string }): ReactElement {
  const now = useNow();
  return (
    <time dateTime={at} title={formatDate(at)}>
      {formatAge(at, now)}
    </time>
  );
}
