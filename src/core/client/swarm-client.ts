import type { LookupAddress } from 'node:dns';
import { isIPv4, isIPv6, type LookupFunction } from 'node:net';
import type { ModelId } from '../kernel/model-id.ts';
import { callOf } from '../protocol/routes/call.ts';
import { swarmAnswer } from '../protocol/staging.ts';
import type { StoreSwarm } from '../store/contract.ts';
import type { Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';

const mebibyte = 1024 * 1024;
/** The description of the largest model has some megabytes. */
const maxBytes = 16 * mebibyte;
/** A node with a working wire does not wait for an answer, in milliseconds. */
const silenceMs = 5_000;

/**
 * Sharing models of a store with other nodes.
 * @param offered the models whose manifests said so
 */
export function createSwarmClient(
  exchange: Exchange,
  { lookup, offered }: { readonly lookup: LookupFunction | undefined; readonly offered: ReadonlySet<ModelId> },
): StoreSwarm {
  const { url } = exchange;
  return {
    isOffered: (modelId) => offered.has(modelId),
    ask: (modelId, body, signal) =>
      exchange.send({ ...callOf('POST /models/:id/swarm', { id: modelId }), json: body, signal, silenceMs }, async (response, watchdog) =>
        readAnswer(swarmAnswer, await readJson(response, { url, limit: maxBytes, watchdog }), {
          url,
          why: 'it does not say how to take a model',
        }),
      ),
    trackerUrl: async () => {
      const at = new URL(url);
      // aria2 has neither the names that mDNS knows nor pinned keys.
      if (at.protocol !== 'http:') return undefined;
      const host = await addressOf(at.hostname, lookup);
      if (host === undefined) return undefined;
      at.hostname = host;
      return `${at.href.replace(/\/+$/, '')}${callOf('GET /swarm/announce', {}).path}`;
    },
  };
}

/** The IPv4 address of a host, because peers have only those; undefined if it has none. */
function addressOf(hostname: string, lookup: LookupFunction | undefined): Promise<string | undefined> {
  if (hostname === 'localhost') return Promise.resolve('127.0.0.1');
  if (isIPv4(hostname)) return Promise.resolve(hostname);
  if (lookup === undefined || isIPv6(hostname.replace(/^\[|\]$/g, ''))) return Promise.resolve(undefined);
  return new Promise((settle) =>
    lookup(hostname, { all: true }, (error, addresses) =>
      settle(error ? undefined : (addresses as unknown as LookupAddress[]).find(({ family }) => family === 4)?.address),
    ),
  );
}
