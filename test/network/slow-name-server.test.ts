import dns from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type FindByName, lookupOfStore } from '../../src/core/client/http/lookup-of-store.ts';
import { createTransport } from '../../src/core/client/http/transport.ts';
import { resolveConfig } from '../../src/core/config/resolve/resolve-config.ts';
import { guardToken } from '../../src/core/connect/guard-token.ts';
import { checkAddress } from '../../src/core/operations/doctor/check-address.ts';
import { checkServer } from '../../src/core/operations/doctor/check-server.ts';
import { copyOf, serveModels, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

/** A name service that answers when the test says so. Each test has its own name, because open questions are shared. */
function silentNameService() {
  const { promise, resolve, reject } = Promise.withResolvers<{ address: string; family: number }[]>();
  const asked = vi.spyOn(dns, 'lookup').mockReturnValue(promise as never);
  onTestFinished(() => {
    reject(new Error('the test has ended'));
    asked.mockRestore();
  });
  promise.catch(() => undefined);
  const fail = (code: string): void => reject(Object.assign(new Error(code), { code }));
  return { asked, answer: (address: string): void => resolve([{ address, family: 4 }]), fail };
}

async function listener(): Promise<number> {
  const server = createServer((socket) => void socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

function transportTo(name: string, port: number, findByName: FindByName, carriesToken = false, tokenHosts: readonly string[] = []) {
  const url = `http://${name}:${port}`;
  const world = testWorld('/nowhere', { env: { SKULK_STORE: url, SKULK_TOKEN: 's3cret' } });
  const config = {
    ...resolveConfig(world, { content: {}, file: undefined, flags: {}, nodeId: undefined, skulkHome: '/nowhere' }),
    tokenHosts,
  };
  const guard = guardToken(config, url);
  const { signal } = new AbortController();
  const lookup = lookupOfStore({ url, signal, userAgent: 't', findByName, carriesToken, guard });
  const transport = createTransport({ url, connectTimeoutMs: 60_000, connections: 1, lookup });
  onTestFinished(transport.close);
  return transport;
}

const isPending = Symbol('pending');
const stateOf = (work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, new Promise((resolve) => setImmediate(resolve, isPending))]);

test('a store whose name DNS does not answer is reached at the address that mDNS knows', async () => {
  silentNameService();
  const transport = transportTo('announced', await listener(), async () => '127.0.0.1');
  expect(await transport.probe(60_000)).toBe('connected');
});

test('a name server that answers late is used if mDNS does not know the name, and is asked once', async () => {
  const { answer, asked } = silentNameService();
  const transport = transportTo('late', await listener(), async () => {
    answer('127.0.0.1');
    return undefined;
  });
  expect(await Promise.all([transport.probe(60_000), transport.probe(60_000)])).toEqual(['connected', 'connected']);
  expect(asked).toHaveBeenCalledTimes(1);
});

test.each([
  ['guarded', []],
  ['listed', ['listed']],
])('mDNS decides nothing about a token for the %s name while DNS may still answer', async (name, tokenHosts) => {
  const { answer } = silentNameService();
  const find = vi.fn<FindByName>(async () => '192.0.2.1');
  const port = await listener();
  // Without a token, another transport uses mDNS by then.
  const other = transportTo(name, port, async () => '127.0.0.1');
  const probing = transportTo(name, port, find, true, tokenHosts).probe(60_000);
  expect(await other.probe(60_000)).toBe('connected');
  expect(await stateOf(probing)).toBe(isPending);
  expect(find).not.toHaveBeenCalled();
  answer('127.0.0.1');
  expect(await probing).toBe('connected');
});

test('a name that neither DNS nor mDNS knows is reported as such, and one that only mDNS knows gets no token', async () => {
  const first = silentNameService();
  first.fail('EAI_AGAIN');
  const store = transportTo('absent', 1, async () => undefined);
  expect(await store.probe(60_000)).toMatchObject({ message: 'absent is found neither by DNS nor by mDNS; it is probably off' });
  await expect(store.fetch('http://absent:1/health', {})).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  const guarded = transportTo('only-announced', 1, async () => '192.0.2.1', true);
  expect(await guarded.probe(60_000)).toMatchObject({ code: 'TOKEN_WITHHELD' });
});

test('a name that is not resolved in time is not reported as a host that accepts no connection', async () => {
  const { url } = await serveModels({ 'org/m': { 'a.bin': 'first' } });
  const home = await temporaryDirectory();
  await (await stagingNode(url, { home })).stage('org/m');
  silentNameService();
  const node = await stagingNode('http://unresolved:58080', { home, env: { SKULK_CONNECT_TIMEOUT: '0.05' } });
  expect(await node.stage('org/m')).toMatchObject({ source: 'cache', path: copyOf(node, 'org/m') });
  expect(node.world.warnings()).toEqual([expect.stringContaining('the name unresolved was not resolved within 0.05 s')]);

  // A request that must have an answer has the same reason.
  const signal = new AbortController().signal;
  const at = 'http://unresolved:58080';
  const lookup = lookupOfStore({ url: at, signal, userAgent: 't', carriesToken: false });
  const transport = createTransport({ url: at, connectTimeoutMs: 50, connections: 1, lookup });
  onTestFinished(transport.close);
  await expect(transport.fetch(`${at}/health`, {})).rejects.toMatchObject({ code: 'NAME_TIMEOUT' });
});

test('doctor gives one reason for a name that is not resolved, and its advice is about name servers', async () => {
  silentNameService().fail('EAI_AGAIN');
  const world = testWorld(await temporaryDirectory(), { env: { SKULK_STORE: 'http://nobody:58080' } });
  const deps = testDeps(world);
  const role = { url: 'http://nobody:58080', isHost: false };
  expect(await checkAddress(deps, role)).toMatchObject({ status: 'problem', todo: expect.stringContaining('name servers') });
  const [store] = await checkServer(deps, role);
  expect(store).toMatchObject({ status: 'problem', found: expect.stringContaining('no name server answers') });
});
