/** The date in every page's header. It is fixed, so that a page only changes when its content changes. */
export const pageDate = '2026-11-01';

/** The header of a man page. */
export const title = (name: string, section: number): string =>
  `.TH "${name.toUpperCase()}" "${section}" "${pageDate}" "skulk" "skulk manual"`;

/** A section's heading. */
export const heading = (text: string): string => `.SH ${escapeRoff(text.toUpperCase())}`;

/** Paragraphs of plain text. */
export const paragraphs = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text, index) => [...(index === 0 ? [] : ['.PP']), escapeRoff(text)]);

/** A term and its meaning; the term is bold. */
export const entry = (term: string, meaning: string): readonly string[] => ['.TP', `\\fB${escapeRoff(term)}\\fR`, escapeRoff(meaning)];

/** Lines in a literal block. */
export const block = (lines: readonly string[]): readonly string[] => ['.PP', '.nf', '.RS 4', ...lines.map(escapeRoff), '.RE', '.fi'];

/** Escapes text that roff would treat as a command (groff_man(7)). */
export function escapeRoff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('`', '\\(ga');
  return escaped.replace(/^(?=[.'])/gm, '\\&');
}
