import type { ReactElement } from 'react';
import type { ApiError } from '../api/api-error.ts';
import { Icon } from './icon.tsx';

/** What went wrong, and what to do. It is read out when it appears. */
export function Problem({ error }: { readonly error: ApiError }): ReactElement {
  return (
    <div className="callout bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>{capitalized(error.message)}.</p>
        {error.hint !== null && <p className="muted">{capitalized(error.hint)}.</p>}
      </div>
    </div>
  );
}

/** The server's sentences begin small, as they follow the name of a program on the command line, and have no full stop. */
export const capitalized = (sentence: string): string => {
  const bare = sentence.replace(/\.$/, '');
  // An id or a path stays as it is written.
  return /^[\w-]+[/._]/.test(bare) ? bare : bare.charAt(0).toUpperCase() + bare.slice(1);
};
