import { readAdminKey } from '../../access/admin-key.ts';
import { pageLink } from '../../access/page-link.ts';
import { findServer } from '../../access/serve-record.ts';
import type { Deps } from '../../connect/deps.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { pageCode } from '../../protocol/access.ts';
import type { ServeRecord } from '../../protocol/machine.ts';
import { callOf } from '../../protocol/routes/call.ts';
import { callLocalServer } from './call-local-server.ts';
import { whyNoServer } from './why-no-server.ts';

/** A single-use link that opens the page of this machine's server with the role admin. */
export interface PageLink {
  readonly url: string;
  readonly expires_at: string;
}

/** The page that `skulk open` opened, or would have. */
export interface OpenedPage {
  readonly url: string;
  /** Whether a browser was started. */
  readonly opened: boolean;
}

/**
 * Lets the running server of this machine make a new link to its page.
 * @throws SkulkError STORE_UNREACHABLE if none is running, PERMISSION if this user may not read its key
 */
export async function makePageLink(deps: Deps): Promise<PageLink> {
  const { skulkHome } = deps.config;
  const server = await findServer(skulkHome);
  if (server === undefined) {
    throw (
      (await whyNoServer(deps, 'skulk key')) ??
      new SkulkError('STORE_UNREACHABLE', `no \`skulk serve\` runs on this machine with SKULK_HOME ${skulkHome}`, {
        hint: `${remoteUrl(deps.config) === undefined ? 'start it' : 'for a link to the page of the store, run `skulk key` on the store host; for one to a page of this machine, start `skulk serve`'}; if it runs as another user: \`sudo -u USER -H skulk key\``,
      })
    );
  }
  return linkOf(deps, server);
}

async function linkOf({ config, world }: Deps, server: ServeRecord): Promise<PageLink> {
  const key = await readAdminKey(config.skulkHome);
  if (key === undefined)
    throw new SkulkError('PERMISSION', `the key of this machine cannot be read in ${config.skulkHome}`, {
      hint: 'run this as the user that runs `skulk serve`, or restart `skulk serve`',
    });
  const { code, expires_at } = await callLocalServer(world, {
    url: server.localApiUrl,
    token: key,
    call: callOf('POST /session/codes', {}),
    answer: pageCode,
    why: 'it cannot create a code for its page',
    stallTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  });
  return { url: pageLink(server.apiUrl, code), expires_at };
}

/**
 * Opens the page in the desktop's browser: of this machine's server with the role admin, else of the store.
 * @throws SkulkError STORE_NOT_CONFIGURED without either
 */
export async function openPage(deps: Deps): Promise<OpenedPage> {
  const server = await findServer(deps.config.skulkHome);
  const url = server === undefined ? await pageOfStore(deps) : (await linkOf(deps, server)).url;
  const { startBrowser } = await import('./start-browser.ts');
  return { url, opened: await startBrowser(url, deps.world) };
}

/** A store only announces the address of its files; the page is at the configured port. */
async function pageOfStore(deps: Deps): Promise<string> {
  const { config } = deps;
  const url = remoteUrl(config);
  if (url === undefined) {
    const foreign = await whyNoServer(deps, 'skulk open');
    if (foreign !== undefined) throw foreign;
    throw new SkulkError('STORE_NOT_CONFIGURED', 'no `skulk serve` runs on this machine, and no other store is configured', {
      hint: 'start `skulk serve`, or set the store: SKULK_STORE=http://HOST:58080',
    });
  }
  // A browser asks only DNS. Without any answer the name is still the best that is known.
  const { asPrograms } = await import('../programs/find-endpoint.ts');
  const { address } = await asPrograms(deps, url).catch(() => ({ address: url }));
  const page = new URL('/', address);
  page.port = String(config.settings.apiPort.value);
  return page.href;
}
