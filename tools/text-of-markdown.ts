/** One block of running text: a paragraph, a heading, a list item or a cell of a table. */
export interface TextBlock {
  readonly text: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/** The running text of a Markdown page, without code, addresses and markup. */
export function textOfMarkdown(page: string): readonly TextBlock[] {
  const blocks: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | undefined;
  let fence: string | undefined;
  const close = (): void => {
    if (open !== undefined) blocks.push(open);
    open = undefined;
  };
  for (const [index, raw] of page.split('\n').entries()) {
    const line = index + 1;
    const mark = /^\s*(```+|~~~+)/.exec(raw)?.[1];
    if (fence !== undefined || mark !== undefined) {
      close();
      fence = fence === undefined ? mark : mark === fence ? undefined : fence;
      continue;
    }
    const text = raw.replace(/^\s*(?:>|#+|[-*+]|\d+\.)\s+/, '').trim();
    if (text === '' || /^\s*(?:#|[-*+] |\d+\. |\||<!--)/.test(raw)) close();
    if (text === '' || text.startsWith('<!--')) continue;
    if (text.startsWith('|')) {
      for (const cell of text.split(/(?<!\\)\|/)) if (/\w/.test(cell)) blocks.push({ text: plain(cell), line });
      continue;
    }
    if (open === undefined) open = { text: plain(text), line };
    else open.text += ` ${plain(text)}`;
    if (raw.startsWith('#')) close();
  }
  close();
  return blocks;
}

/** Code becomes one word, a link its text. */
const plain = (text: string): string =>
  text
    .replace(/`[^`]*`/g, 'CODE')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, '')
    .replace(/\*\*|__/g, '')
    .trim();

/** Sentences of a text with more words than `most`; a list of code counts as one word. */
export function findLongSentences(text: string, most: number): readonly string[] {
  return text
    .replace(/CODE(?:(?:,? and|,? or|,)? CODE)+/g, 'CODE')
    .split(/(?<=[.!?]["”)]?)(?<!\b(?:e\.g|i\.e|etc|vs)\.)\s+|(?<=:)\s+(?=[A-Z"“])/)
    .filter((sentence) => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length > most);
}
