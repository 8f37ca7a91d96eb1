import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/core/config/load.ts';
import type { StoreAdministration } from '../../src/core/operations/store/open-administration.ts';
import { listRoutes, type RouteRole } from '../../src/core/server/access/require-role.ts';
import { createApiApp } from '../../src/core/server/app/api-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { adminKeyOf, pageLink } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { isLong } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

/** Parts of a server that are never called, because the test reads only its routes. */
const nothing = <T>(): T => ({}) as T;

/** Every route of the two servers of a store host. */
async function allRoutes(): Promise<{ readonly store: readonly RouteRole[]; readonly api: readonly RouteRole[] }> {
  const home = await temporaryDirectory();
  await using store = await directoryStore({});
  const world = testWorld(home);
  const deps = { ...testDeps(world, await loadConfig(world)), store };
  const administration = nothing<StoreAdministration>();
  const storeApp = await createStoreApp({
    store,
    uploads: nothing(),
    downloads: nothing(),
    fleet: nothing(),
    deps,
    administration,
    version: '1',
    logLevel: 'silent',
  });
  const identity = { hostname: 'kite3', node_id: 'n1', preferred_address: null, version: '1', role: 'store', can_restart: false };
  const apiApp = await createApiApp({
    deps,
    administration,
    identity: () => identity,
    hub: { backend: nothing(), registry: nothing(), store },
    logLevel: 'silent',
  });
  return { store: listRoutes(storeApp), api: listRoutes(apiApp) };
}

/** Every route that answers a caller without any role. */
const open = /^(?:(?:GET|HEAD) \/(?:|health|nodes|nodes\/:node|activity|settings|add|add\/:org\/:name|assets\/:name)|POST \/session)$/;
/** Requests that are refused for all Hub clients, and paths with POST. */
const refusesWrites =
  /^\/(?:api\/(?:\*|models\/(?::id|:org\/:name)\/paths-info\/:revision)|(?:datasets|spaces|kernels|buckets)\/\*|.*\/(?:git-(?:upload|receive)-pack|info\/lfs\/\*))$/;
/** Routes that change settings, show directories of the machine, or affect others. */
const admin =
  /^(?:PUT \/(?:config|policy)|(?:GET|HEAD) \/(?:filesystem\/browse|tokens)|POST \/(?:tokens|session\/codes|node\/restart)|DELETE \/(?:tokens\/:name|(?:store\/)?nodes\/:node))$/;

describe('the roles of routes', () => {
  test('every route that changes something needs more than read, and only the page, the health and the exchange of a code are open', async () => {
    const routes = await allRoutes();
    for (const { method, url, role } of routes.store) {
      const name = `${method} ${url}`;
      if (role === 'open') expect(name).toMatch(/^(?:(?:GET|HEAD) \/health|POST \/session|OPTIONS .*)$/);
      if (admin.test(name)) expect([name, role]).toEqual([name, 'admin']);
    }
    for (const { method, url, role } of routes.api) {
      const name = `${method} ${url}`;
      if (role === 'open' && method !== 'OPTIONS') expect(name).toMatch(open);
      if (admin.test(name)) expect([name, role]).toEqual([name, 'admin']);
    }
    for (const { method, url, role } of [...routes.store, ...routes.api])
      if (!['GET', 'HEAD', 'OPTIONS'].includes(method) && !refusesWrites.test(url) && url !== '/session')
        expect([method, url, role]).not.toContain('read');
    // The lists contain routes.
    expect(routes.store.length).toBeGreaterThan(40);
    expect(routes.api.length).toBeGreaterThan(30);
  });
});

/** A request with a Hub token, or a write to the Hub, gets an answer in the format of the Hub. */
const isOfHub = (url: string): boolean =>
  /^\/(?:api\/|api$|v2\/|(?::id|:name|:org\/:name)(?:$|\/)|(?:datasets|spaces|kernels|buckets)\/)/.test(url);
const refusesAll = (method: string, url: string): boolean =>
  url === '/api/whoami-v2' ||
  (url === '/v2/*' && !['GET', 'HEAD'].includes(method)) ||
  (refusesWrites.test(url) && !['GET', 'HEAD'].includes(method)) ||
  /\/(?:info\/refs|HEAD)$/.test(url);

/** Fills in the parameters of a pattern. */
const targetOf = (url: string): string =>
  url
    .replace(':id/*', 'org%2Fm/a.gguf')
    .replace(':org/:name', 'org/m')
    .replace(':id', 'org%2Fm')
    .replaceAll(/:(?:node|name)/g, 'somebody')
    .replace(':digest', 'a'.repeat(64))
    .replace(':order', 'a'.repeat(24))
    .replace(/:\w+/g, '1');

/** The status and the code of an answer; the body is not awaited, because some never end. */
function statusOf(url: string, { method, target, bearer }: { method: string; target: string; bearer: string | undefined }) {
  const { hostname, port } = new URL(url);
  return new Promise<number>((resolve, reject) => {
    const headers = {
      ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
      ...(method !== 'GET' && method !== 'HEAD' && { 'Content-Type': 'application/json' }),
    };
    const sent = request({ host: hostname, port, method, path: target, headers, agent: false }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.once('error', reject);
    sent.end(method === 'POST' || method === 'PUT' ? '[]' : undefined);
  });
}

type Who = 'nobody' | 'read' | 'node' | 'admin' | 'key' | 'page' | 'wrong';

const rank = { open: 0, read: 1, node: 2, admin: 3 } as const;

test('each route of both servers answers callers with its role, and refuses all others', async () => {
  const routes = await allRoutes();
  const home = await temporaryDirectory();
  const host = await serveInProcess({ home });
  onTestFinished(() => host[Symbol.asyncDispose]());
  const env = { SKULK_HOME: home };
  const create = async (role: string): Promise<string> =>
    (await runInProcess(['token', 'create', role, '--role', role], { env })).stdout.trim();
  const bearers: Record<Exclude<Who, 'nobody' | 'page'>, string> = {
    read: await create('read'),
    node: await create('node'),
    admin: await create('admin'),
    key: await adminKeyOf(home),
    wrong: 'skulk_nobody-has-this-one',
  };
  const newPageKey = async (): Promise<string> => {
    const code = (await pageLink(host)).replace(/^.*#code=/, '');
    const body = JSON.stringify({ code });
    const answer = await ask(host.apiUrl, '/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return (answer.json() as { key: string }).key;
  };
  // A key of a page is not valid on another server; both ports are one server.
  let page = await newPageKey();
  for (const lan of ['node', 'read', 'none'] as const) {
    expect(await runInProcess(['policy', 'set', 'lan', lan], { env })).toMatchObject({ status: 0 });
    const has: Record<Who, number> = {
      nobody: lan === 'none' ? 0 : rank[lan],
      read: rank.read,
      node: rank.node,
      admin: rank.admin,
      key: rank.admin,
      page: rank.admin,
      wrong: -1,
    };
    await expect.poll(async () => (await ask(host.apiUrl, '/session')).status).toBe(lan === 'none' ? 401 : 200);
    if (lan !== 'none') await expect.poll(async () => ((await ask(host.apiUrl, '/session')).json() as { lan: string }).lan).toBe(lan);
    const everybody: readonly Who[] = ['nobody', 'read', 'node', 'admin', 'key', 'page', 'wrong'];
    // The rights of the LAN do not affect a caller with a token or key.
    const who: readonly Who[] = isLong || lan === 'node' ? everybody : ['nobody'];
    // The short form has the least caller that a route answers, the one below, and a wrong token. The three with the role admin differ where
    // keys are made and end; it has all of them there.
    const isAsked = (one: Who, { url, role }: RouteRole): boolean =>
      isLong ||
      ['nobody', 'wrong'].includes(one) ||
      /^\/(?:session|tokens|policy$)/.test(url) ||
      (one !== 'key' && one !== 'page' && [rank[role], rank[role] - 1].includes(has[one]));
    for (const [base, list] of [
      [host.url, routes.store],
      [host.apiUrl, routes.api],
    ] as const)
      for (const route of list) {
        const { method, url, role } = route;
        for (const one of who.filter((caller) => isAsked(caller, route))) {
          const bearer = one === 'nobody' ? undefined : one === 'page' ? page : bearers[one];
          const status = await statusOf(base, { method, target: targetOf(url), bearer });
          const name = `${method} ${url} with ${one} while the LAN may ${lan}`;
          const may = one === 'wrong' && isOfHub(url) && lan !== 'none' ? has.nobody : has[one];
          if (refusesAll(method, url) && may >= rank.read) continue;
          // A caller with the role may still be refused because of the content of the request.
          if (role === 'open' || may >= rank[role]) {
            const isPageOnly = url === '/session' && method !== 'GET';
            const isNoMaker = url === '/session/codes' && (one === 'admin' || one === 'page');
            if (!isPageOnly && !isNoMaker) expect([name, status]).toEqual([name, expect.not.toBeOneOf([401, 403, 500])]);
          } else expect([name, status]).toEqual([name, may <= 0 && !url.startsWith('/v2/') ? 401 : 403]);
          if (one === 'page' && method === 'DELETE' && url === '/session') page = await newPageKey();
        }
      }
  }
  expect(join(home, 'store')).toBe(host.storePath);
});
