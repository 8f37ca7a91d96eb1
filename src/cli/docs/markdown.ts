/** Text as a cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table in Markdown, a line each row. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${header.join(' | ')} |`,
  `|${header.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];

/** Lines as they are, in a block of their own. */
export const fenced = (language: string, lines: readonly string[]): readonly string[] => [`\`\`\`${language}`, ...lines, '```'];

/** Text of a definition in a running sentence: what Markdown or a browser would take as markup stays as it is typed. */
export const plain = (text: string): string => text.replaceAll(/[<>*]/g, (one) => `\\${one}`);
