/** Copies a text to the clipboard. On a LAN there is usually no HTTPS, and without it a browser has only the old clipboard function. */
export async function copyText(text: string): Promise<void> {
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
