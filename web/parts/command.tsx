import type { ReactElement } from 'react';
import { CopyButton } from './copy-button.tsx';

/** A command to type in a terminal, or a path. */
export function Command({ text, what = 'the command' }: { readonly text: string; readonly what?: string }): ReactElement {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} what={what} />
    </div>
  );
}
