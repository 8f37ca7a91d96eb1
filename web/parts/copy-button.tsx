import { type ReactElement, useState } from 'react';
import { IconButton } from './button.tsx';

const shownMs = 3_000;

/** Copies a text to the clipboard. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactElement {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), shownMs);
  };
  return <IconButton icon={isCopied ? 'check' : 'copy'} label={isCopied ? 'Copied' : `Copy ${what}`} onClick={() => void copy()} />;
}

/** On a LAN there is usually no HTTPS, and without it a browser has only the old clipboard function. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text).catch(() => selectAndCopy(text));
  selectAndCopy(text);
}

function selectAndCopy(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hidden';
  // A modal dialog makes everything outside of it inert.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
