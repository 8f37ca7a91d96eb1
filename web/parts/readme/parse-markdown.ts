import MarkdownIt from 'markdown-it';

/** HTML in the text is kept unchanged, because READMEs of the Hub have much of it: the result must be cleaned before it is shown. */
const parser = new MarkdownIt({ html: true, linkify: true });
// Only explicit addresses become links.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

const frontMatter = /^\uFEFF?---[ \t]*\r?\n(?:[\s\S]*?\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** The HTML of a README in Markdown, without its front matter. Not clean: see `cleanHtml`. */
export const parseMarkdown = (text: string): string => parser.render(text.replace(frontMatter, ''));
