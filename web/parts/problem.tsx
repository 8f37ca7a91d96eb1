import type { ReactElement } from 'react';
import type { ApiError } from '../api/api-error.ts';
import { Icon } from './icon.tsx';
import { Sentence } from './sentence.tsx';

/** An error and a hint. It is read out when it appears. */
export function Problem({ error }: { readonly error: ApiError }): ReactElement {
  return (
    <div className="callout bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>
          <Sentence text={error.message} />
        </p>
        {error.hint !== null && (
          <p className="muted">
            <Sentence text={error.hint} />
          </p>
        )}
      </div>
    </div>
  );
}
