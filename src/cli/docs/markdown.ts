/** Text as a cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table in Markdown, one line per row. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${header.join(' | ')} |`,
  `|${header.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];

/** Lines in a code block. */
export const fenced = (language: string, lines: readonly string[]): readonly string[] => [`\`\`\`${language}`, ...lines, '```'];

/** Text of a definition for running text, with the characters escaped that Markdown or a browser would treat as markup. */
export const plain = (text: string): string => text.replaceAll(/[<>*]/g, (one) => `\\${one}`);
