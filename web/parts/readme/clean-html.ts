import createPurifier from 'dompurify';

/** The place of a README, which determines the targets of its links and pictures. */
export interface ReadmePlace {
  /** The prefix of the path of a file of the model, e.g. `/org/name/resolve/main/`. */
  readonly files: string;
  /** The paths of the files in the store. */
  readonly paths: ReadonlySet<string>;
  /** The model's own page at its source, with a slash at its end; undefined for a model from elsewhere. */
  readonly source: string | undefined;
  /** The directory of the README in the model, with a slash at its end or empty. */
  readonly folder: string;
}

const tags = [
  'a abbr b blockquote br center code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span',
  'strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var',
].flatMap((line) => line.split(' '));
const attributes = ['align', 'alt', 'colspan', 'href', 'open', 'reversed', 'rowspan', 'src', 'start', 'title'];

/**
 * Makes untrusted HTML safe for the page: it keeps text, tables, links and pictures of the model itself. It removes everything that could
 * run, load from elsewhere, send data, or look like a part of the page. Pictures of other hosts become their descriptions.
 */
export function cleanHtml(html: string, place: ReadmePlace): DocumentFragment {
  const purifier = createPurifier(window);
  // During the cleaning it belongs to a document that loads nothing; the page decides what is loaded afterwards.
  purifier.addHook('afterSanitizeAttributes', (node) => {
    if (node.nodeName === 'A') cleanLink(node, place);
    else if (node.nodeName === 'IMG') cleanPicture(node, place);
  });
  const content = purifier.sanitize(html, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: attributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|[^a-z]|[a-z+.-]+(?:[^a-z+.:-]|$))/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const picture of content.querySelectorAll('img:not([src])')) picture.replaceWith(wordsFor(picture.getAttribute('alt') ?? ''));
  for (const heading of content.querySelectorAll('h1, h2, h3, h4, h5, h6')) heading.replaceWith(lowered(heading));
  for (const table of content.querySelectorAll('table')) inBox(table);
  for (const block of content.querySelectorAll('pre')) block.tabIndex = 0;
  return content;
}

/** The page has its own headings above a README. A heading can be linked by its words, as on the Hub; the prefix prevents conflicts. */
function lowered(heading: Element): Element {
  const made = document.createElement(`h${Math.min(Number(heading.nodeName[1]) + 2, 6)}`);
  const words = (heading.textContent ?? '').trim().toLowerCase();
  made.id = anchorOf(words.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(/\s/g, '-'));
  made.append(...heading.childNodes);
  return made;
}

/** A table may be wider than a phone. */
function inBox(table: Element): void {
  const box = document.createElement('div');
  box.className = 'table-box';
  box.tabIndex = 0;
  table.replaceWith(box);
  box.append(table);
}

function wordsFor(alt: string): Element {
  const words = document.createElement('span');
  words.className = 'picture-left-out';
  words.textContent = alt === '' ? 'picture not shown' : alt;
  words.title = 'A picture that this store does not have is not loaded.';
  return words;
}

const anchorOf = (name: string): string => `readme-${name.slice(0, 200)}`;

function cleanLink(link: Element, place: ReadmePlace): void {
  const href = link.getAttribute('href');
  link.removeAttribute('href');
  if (href === null) return;
  if (href.startsWith('#')) {
    link.setAttribute('href', `#${anchorOf(href.slice(1).toLowerCase())}`);
    return;
  }
  const target = /^(?:https?:|mailto:)/i.test(href) ? href : sourceOf(href, place);
  if (target === undefined || !URL.canParse(target)) return;
  link.setAttribute('href', target);
  link.setAttribute('target', '_blank');
  link.setAttribute('rel', 'noopener noreferrer nofollow');
}

/** A link to a file beside the README leads to the model's source: opened from here it would be a part of this server's own pages. */
function sourceOf(href: string, { source, folder }: ReadmePlace): string | undefined {
  if (source === undefined || href.startsWith('//') || href.includes('\\')) return undefined;
  const base = new URL(`blob/main/${folder}`, source);
  const target = URL.canParse(href, base) ? new URL(href, base) : undefined;
  return target?.href.startsWith(source) === true ? target.href : undefined;
}

const raster = /\.(?:png|jpe?g|gif|webp|avif)$/i;

function cleanPicture(picture: Element, { files, paths, folder }: ReadmePlace): void {
  const path = pathOf(picture.getAttribute('src') ?? '', folder);
  picture.removeAttribute('src');
  if (path === undefined || !raster.test(path) || !paths.has(path)) return;
  picture.setAttribute('src', `${files}${path.split('/').map(encodeURIComponent).join('/')}`);
  picture.setAttribute('loading', 'lazy');
}

/** The path in the model for a relative address; undefined for any other address. */
function pathOf(src: string, folder: string): string | undefined {
  if (src === '' || /^(?:[a-z][a-z\d+.-]*:|\/)/i.test(src) || src.includes('\\')) return undefined;
  const base = 'http://model.invalid/';
  if (!URL.canParse(src, `${base}${folder}`)) return undefined;
  const { origin, pathname } = new URL(src, `${base}${folder}`);
  try {
    return `${origin}/` === base ? decodeURIComponent(pathname.slice(1)) : undefined;
  } catch {
    return undefined;
  }
}
