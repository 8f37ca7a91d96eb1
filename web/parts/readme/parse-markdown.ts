import MarkdownIt from 'markdown-it';

/** HTML in between is kept as it is, as READMEs of the Hub have much of it: what comes out must be cleaned before it is shown. */
const parser = new MarkdownIt({ html: true, linkify: true });
// Only what is written as an address becomes a link.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

const frontMatter = /^\uFEFF?---[ \t]*\r?\n(?:[\s\S]*?\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** The HTML of a README in Markdown, without the facts at its head. Not clean: see `cleanHtml`. */
export const parseMarkdown = (text: string): string => parser.render(text.replace(frontMatter, ''));
