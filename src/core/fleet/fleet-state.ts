import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { createSerialQueue } from '../kernel/flow/serial-queue.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { NodeRecord, OrderProgress } from '../protocol/fleet.ts';
import type { LogEntry } from '../protocol/order-log.ts';
import { readNodeList, writeNodeList } from './node-list.ts';
import { createNodeWatchers, type NodeWatchers } from './node-watchers.ts';
import { createOrderBook, type OrderBook } from './order-book.ts';
import { appendToLog, readOrderLog, rewriteLog } from './order-log.ts';
import { defaultRetention, type Retention } from './retire-nodes.ts';

/** What the fleet needs from the store. */
export interface CanonicalStore {
  has(modelId: ModelId, selector?: string): Promise<boolean>;
  remove(modelId: ModelId, options: { readonly force: boolean }): Promise<{ readonly freedBytes: number }>;
  /** The removal of one quantization: its name in the store, and whether it is the last one. */
  planRemoval(modelId: ModelId, selector: string): Promise<{ readonly selector: string; readonly isLast: boolean }>;
  removeQuantization(
    modelId: ModelId,
    options: { readonly selector: string; readonly isLast: boolean; readonly force: boolean },
  ): Promise<{ readonly freedBytes: number }>;
}

/** Options for opening a fleet on this machine's disk. */
export interface FleetOptions {
  /** The directory of nodes.json and orders.ndjson. */
  readonly directory: string;
  readonly store: CanonicalStore;
  readonly now: () => Date;
  readonly emit: Emit;
  /** Runs a change while no other process makes one; absent in a server, which is the only writer during its whole life. */
  readonly exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Called by a server before each change; rejects if another process has taken the store's lock. */
  readonly assertHeld?: () => Promise<void>;
  /** How long silent nodes are remembered, according to the current settings. */
  readonly retention?: () => Promise<Retention>;
}

/**
 * The nodes and orders on the disk, and their changes. A server reads them once. A process without a server reads them before each query,
 * so get `nodes` and `book` again after each `ready` and inside each `change`.
 */
export interface FleetState {
  readonly store: CanonicalStore;
  readonly isServer: boolean;
  readonly nodes: Map<NodeId, NodeRecord>;
  readonly book: OrderBook;
  readonly watchers: NodeWatchers;
  /** The progress of orders to stage, by order id and node. */
  readonly progress: Map<string, Map<NodeId, OrderProgress>>;
  readonly now: () => Date;
  readonly retention: () => Promise<Retention>;
  /** Settles after the files have been read. */
  ready(): Promise<void>;
  /** Runs changes one after the other; without a server, also across processes. */
  change<T>(work: () => Promise<T>): Promise<T>;
  /** Inside a change: writes entries to the log of orders. */
  write(...entries: readonly LogEntry[]): Promise<void>;
  /** Inside a change: writes a list of nodes. */
  writeNodes(nodes: ReadonlyMap<NodeId, NodeRecord>): Promise<void>;
  /** Notifies the listeners of a change. */
  changed(): void;
  onChange(listener: () => void): () => void;
}

/** After this many new entries, the log is rewritten without finished orders. */
const compactEvery = 2_000;

/** Nothing is read before the first query. */
export function openFleetState(options: FleetOptions): FleetState {
  const { directory, store, now, exclusively, assertHeld, retention = async () => defaultRetention } = options;
  const paths = { nodes: join(directory, 'nodes.json'), log: join(directory, 'orders.ndjson') };
  const isServer = exclusively === undefined;
  const listeners = new Set<() => void>();
  let nodes = new Map<NodeId, NodeRecord>();
  let book: OrderBook = createOrderBook();
  const changes = createSerialQueue();
  let loaded: Promise<void> | undefined;
  let written = 0;
  const load = async (): Promise<void> => {
    nodes = await loadNodes(paths.nodes, options);
    book = await loadOrders(paths.log, options);
    if (isServer) await tidyUp(book, paths.log, options);
  };
  const ready = (): Promise<void> => {
    if (!isServer) return load();
    loaded ??= load();
    return loaded;
  };
  const changed = (): void => {
    for (const notify of [...listeners]) notify();
  };
  return {
    store,
    isServer,
    get nodes() {
      return nodes;
    },
    get book() {
      return book;
    },
    watchers: createNodeWatchers(),
    progress: new Map(),
    now,
    retention,
    ready,
    change: (work) =>
      changes.run(async () => {
        const whole = async () => {
          await assertHeld?.();
          await ready();
          return work();
        };
        return exclusively === undefined ? whole() : exclusively(whole);
      }),
    write: async (...entries) => {
      await appendToLog(directory, paths.log, entries);
      for (const entry of entries) book.apply(entry);
      written += entries.length;
      if (isServer && written >= compactEvery) {
        written = 0;
        await rewriteLog(paths.log, book.compact());
      }
      changed();
    },
    writeNodes: (list) => writeNodeList(paths.nodes, list),
    changed,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

async function loadNodes(path: string, { now, emit }: FleetOptions): Promise<Map<NodeId, NodeRecord>> {
  const known = await readNodeList(path);
  if (known !== undefined) return known;
  const aside = `${path}.damaged-${now().getTime()}`;
  await rename(path, aside);
  emit({
    type: 'warning',
    message: `the list of nodes was corrupt; moved to ${aside}, starting with an empty one`,
    hint: 'nodes become known again as they report',
  });
  return new Map();
}

async function loadOrders(path: string, { emit }: FleetOptions): Promise<OrderBook> {
  const book = createOrderBook();
  const skipped = (line: number): void =>
    emit({ type: 'warning', message: `${path}:${line} is not a valid entry of the order log and was skipped` });
  for (const entry of await readOrderLog(path, skipped)) book.apply(entry);
  return book;
}

/** The cleanup when a server starts: it is the only writer, and finishes what a dead one began. */
async function tidyUp(book: OrderBook, logPath: string, { directory, store }: FleetOptions): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names.filter((one) => /^\..+\.[0-9a-f]{12}\.tmp$/.test(one))) await rm(join(directory, name), { force: true });
  // After a crash between an order and its removal, the store shows whether the removal took place.
  for (const { order, isPrepared } of [...book.orders.values()]) {
    if (!isPrepared) continue;
    const isThere = order.model_id !== null && (await store.has(order.model_id, order.selector).catch(() => undefined));
    // Nodes do not get an order while the disk does not say whether its model was removed. The next start checks again.
    if (isThere === undefined) continue;
    book.apply(isThere ? { drop: order.order_id } : { commit: order.order_id });
  }
  if (book.orders.size === 0) return;
  await makeDirectory(directory);
  await rewriteLog(logPath, book.compact());
}
