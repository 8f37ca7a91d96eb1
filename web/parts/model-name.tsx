import type { ReactElement } from 'react';

/** A model's id: the organization is less prominent than the name; it breaks only at suitable places. */
export function ModelName({ id }: { readonly id: string }): ReactElement {
  const slash = id.indexOf('/');
  return (
    <span className="model-name">
      {slash !== -1 && <span className="org">{id.slice(0, slash + 1)}</span>}
      {slash !== -1 && <wbr />}
      <span className="name">{id.slice(slash + 1)}</span>
    </span>
  );
}
