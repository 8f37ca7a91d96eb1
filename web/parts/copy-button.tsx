import { type ReactElement, useState } from 'react';
import { IconButton } from './button.tsx';
import { copyText } from './copy-text.ts';

const shownMs = 3_000;

/** Copies a text to the clipboard. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactElement {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), shownMs);
  };
  return <IconButton icon={isCopied ? 'check' : 'copy'} label={isCopied ? 'Copied' : `Copy ${what}`} onClick={() => void copy()} />;
}
