import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isReserved } from '../../endpoint/view/repo-ids.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { isModelId } from '../../kernel/model-id.ts';
import { acceptsPage } from '../access/require-role.ts';

/** The pages of the browser view. All have the same document, which reads from the address what to show. */
const pages = ['/', '/nodes', '/nodes/:node', '/activity', '/settings', '/add', '/add/:org/:name'] as const;
/** The pages of a model and its files have the same addresses as on the Hub. */
const modelPages = ['/:org/:name', '/:org/:name/tree/*', '/:org/:name/blob/*', '/:name'] as const;
const assets = '/assets/:name';

/** They contain no secret, so the page can load and ask for a token. */
const forEverybody = { config: { role: 'open' }, schema: { hide: true } } as const;
/** Any path may look like the name of a model, so without a token only a browser that loads a page gets an answer. */
const forBrowsers = {
  config: { role: 'read', isPage: true, isForStrangers: true, isForWhatIsLeft: true },
  schema: { hide: true },
} as const;

/** Allows only content of this server, and nothing inline. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

interface WebFile {
  readonly type: string;
  readonly body: Buffer;
}

interface WebBuild {
  readonly document: WebFile;
  readonly etag: string;
  /** By name; files that the build did not create are absent. */
  readonly assets: ReadonlyMap<string, WebFile>;
}

/**
 * The browser view, as built by `npm run build`. It is read at the first request and then kept in memory, so that the document and its
 * assets are from the same build even if the package is replaced while the server runs.
 */
export function addWebApp(app: FastifyInstance, { directory = builtDirectory() }: { readonly directory?: string } = {}): void {
  let reading: Promise<WebBuild> | undefined;
  const build = (): Promise<WebBuild> => {
    reading ??= readBuild(directory).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
  const send = (reply: FastifyReply, { type, body }: WebFile, cacheControl: string): FastifyReply =>
    reply
      .headers({
        'Content-Type': type,
        'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        'Cache-Control': cacheControl,
      })
      .send(body);
  const answerPage = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { document, etag } = await build();
    reply.header('ETag', etag);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return send(reply, document, 'no-cache');
  };
  for (const page of pages) app.get(page, forEverybody, answerPage);
  const answerModelPage = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { org, name = '' } = request.params as { org?: string; name?: string };
    if (isPageOfModel(request.headers.accept, org === undefined ? name : `${org}/${name}`)) return answerPage(request, reply);
    throw new SkulkError('NOT_FOUND', 'there is nothing here', { hint: 'GET /openapi.json lists what this server answers' });
  };
  for (const page of modelPages) app.get(page, forBrowsers, answerModelPage);
  app.get(assets, forEverybody, async (request, reply) => {
    const file = (await build()).assets.get((request.params as { name: string }).name);
    if (file === undefined) throw new SkulkError('NOT_FOUND', 'not found', { hint: 'load the page again' });
    return send(reply, file, 'public, max-age=31536000, immutable');
  });
}

/** Whether a browser loads a page, and its path can be a model. */
const isPageOfModel = (accept: string | undefined, id: string): boolean =>
  acceptsPage(accept) && isModelId(id) && !isReserved(id.split('/')[0] ?? '');

async function readBuild(directory: string): Promise<WebBuild> {
  try {
    const body = await readFile(join(directory, 'index.html'));
    const names = await readdir(join(directory, 'assets'));
    const files = await Promise.all(names.map(async (name) => [name, await readAsset(directory, name)] as const));
    return {
      document: { type: 'text/html; charset=utf-8', body },
      etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`,
      assets: new Map(files),
    };
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new SkulkError('NOT_FOUND', 'the browser view has not been built', { hint: 'run `npm run build`, then load this page again' });
  }
}

async function readAsset(directory: string, name: string): Promise<WebFile> {
  const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  return { type, body: await readFile(join(directory, 'assets', name)) };
}

/** Beside the bundle; from the sources, the directory of the build. */
function builtDirectory(): string {
  const here = import.meta.url;
  const place = here.endsWith('.ts') ? '../../../../dist/web/' : here.includes('/chunks/') ? '../web/' : './web/';
  return fileURLToPath(new URL(place, here));
}
