/**
 * Wraps a text between words to lines of these lengths. A longer word, such as a path, stays whole. A command in backticks does too,
 * because a user copies it. Pure.
 */
export function wrapWords(text: string, room: { readonly first: number; readonly others: number }): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of splitWords(text)) {
    const max = lines.length === 0 ? room.first : room.others;
    if (line !== undefined && line.length + 1 + word.length > max) {
      lines.push(line);
      line = word;
    } else line = line === undefined ? word : `${line} ${word}`;
  }
  return [...lines, line ?? ''];
}

/** Wraps each line of a text, with the continued lines indented. Pure. @param columns undefined if the width is unknown */
export function wrapLines(text: string, columns: number | undefined): string {
  if (columns === undefined || columns < narrowest) return text;
  const ofLine = (line: string): string =>
    line.length <= columns ? line : wrapWords(line, { first: columns, others: columns - indent.length }).join(`\n${indent}`);
  return text.split('\n').map(ofLine).join('\n');
}

const indent = '  ';
/** A narrower terminal wraps the text itself. */
const narrowest = 20;

function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  for (const word of text.split(' ')) {
    const last = words.at(-1);
    if (last !== undefined && hasOpenCommand(last)) words[words.length - 1] = `${last} ${word}`;
    else words.push(word);
  }
  // A single backtick begins no command.
  return hasOpenCommand(words.at(-1) ?? '') ? text.split(' ') : words;
}

const hasOpenCommand = (text: string): boolean => text.split('`').length % 2 === 0;
