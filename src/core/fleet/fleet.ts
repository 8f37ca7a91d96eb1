import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { Emit } from '../kernel/flow/events.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Fleet, GivenOrder, KnownNode, NodeReport, Order, OrderOutcome, OrderRequest } from './contract.ts';
import { isNews, merge } from './merge-report.ts';
import { type NodeRecord, readNodeList, writeNodeList } from './node-list.ts';
import { type BookedOrder, createOrderBook, isOpenOn, type OrderBook, outcomesOf } from './order-book.ts';
import { appendToLog, type LogEntry, readOrderLog, rewriteLog } from './order-log.ts';
import { makeWayFor, nodeBounds, type Remembrance, type RetirementFacts, silentNodes, usualRemembrance } from './retire-nodes.ts';

/** What the fleet needs of the store. */
interface CanonicalStore {
  has(modelId: ModelId): Promise<boolean>;
  remove(modelId: ModelId, options: { readonly force: boolean }): Promise<{ readonly freedBytes: number }>;
}

/** What a fleet on this machine's disk is opened with. */
export interface FleetOptions {
  /** Where nodes.json and orders.ndjson lie. */
  readonly directory: string;
  readonly store: CanonicalStore;
  readonly now: () => Date;
  readonly emit: Emit;
  /** Runs a change while no other process makes one; absent in a server, which is the only writer for as long as it lives. */
  readonly exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Asked by a server before each change: rejects when another process has taken the store's lock. */
  readonly assertHeld?: () => Promise<void>;
  /** How long nodes are remembered that nobody hears of, as it is now. */
  readonly remembrance?: () => Promise<Remembrance>;
}

/** The fleet of the process that serves a store. */
export interface HostFleet extends Fleet {
  /** Has something told, at once and often, when nodes or orders changed; the returned function ends that. */
  onChange(listener: () => void): () => void;
}

/** How often a stream shows that it lives, in milliseconds. */
const heartbeatMs = 5_000;
/** So many orders may wait for nodes; of more the oldest are given up. */
const mostPending = 2_000;
/** How often nodes that are gone are looked for, in milliseconds. */
const retireEveryMs = 3600_000;
/** So many copies are remembered over all nodes; whoever reports beyond that is known without its list. */
const mostCopies = 10_000;
/** How much the list of pending orders says at most: so many orders on so many nodes, all counted. */
const mostOutcomes = 5_000;
/** A node whose agent was heard within so long may answer at once; in milliseconds. Agents report every 30 s. */
const agentFreshMs = 90_000;
/** After so many entries a log that has grown is written anew without what is over. */
const compactEvery = 2_000;

/** The nodes and orders of the store on this machine's disk. */
export function openFleet({
  directory,
  store,
  now,
  emit,
  exclusively,
  assertHeld,
  remembrance = async () => usualRemembrance,
}: FleetOptions): HostFleet {
  const nodesPath = join(directory, 'nodes.json');
  const logPath = join(directory, 'orders.ndjson');
  const isServer = exclusively === undefined;
  const watchers = new Map<NodeId, Set<() => void>>();
  const changes = new Set<() => void>();
  const tellChange = (): void => {
    for (const tell of [...changes]) tell();
  };
  let nodes = new Map<NodeId, NodeRecord>();
  let book: OrderBook = createOrderBook();
  let tail: Promise<unknown> = Promise.resolve();
  let loaded: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const known = await readNodeList(nodesPath);
    if (known === undefined) {
      const aside = `${nodesPath}.damaged-${now().getTime()}`;
      await rename(nodesPath, aside);
      emit({
        type: 'warning',
        message: `the list of nodes was damaged; it lies at ${aside}`,
        hint: 'nodes become known again as they report',
      });
    }
    nodes = known ?? new Map();
    book = createOrderBook();
    for (const entry of await readOrderLog(logPath, (line) =>
      emit({ type: 'warning', message: `${logPath}:${line} is not an entry of the log of orders, so it is skipped` }),
    ))
      book.apply(entry);
    if (!isServer) return;
    await removeDrafts(directory);
    // A crash between an order and the removal that it belongs to: the store says which of the two it was.
    for (const { order, isPrepared } of [...book.orders.values()]) {
      if (!isPrepared) continue;
      const isThere = order.model_id !== null && (await store.has(order.model_id));
      book.apply(isThere ? { drop: order.order_id } : { commit: order.order_id });
    }
    if (book.orders.size > 0) {
      await makeDirectory(directory);
      await rewriteLog(logPath, book.compact());
    }
  };
  const ready = (): Promise<void> => {
    if (!isServer) return load();
    loaded ??= load();
    return loaded;
  };
  /** One change after the other; in a process without a server also one process after the other. */
  const change = <T>(work: () => Promise<T>): Promise<T> => {
    const run = tail.then(async () => {
      const whole = async (): Promise<T> => {
        await assertHeld?.();
        await ready();
        return work();
      };
      return exclusively === undefined ? whole() : exclusively(whole);
    });
    tail = run.catch(() => undefined);
    return run;
  };
  let written = 0;
  const write = async (...entries: readonly LogEntry[]): Promise<void> => {
    await appendToLog(directory, logPath, entries);
    for (const entry of entries) book.apply(entry);
    written += entries.length;
    if (isServer && written >= compactEvery) {
      written = 0;
      await rewriteLog(logPath, book.compact());
    }
    tellChange();
  };
  const tellNodes = (): void => {
    for (const set of watchers.values()) for (const tell of [...set]) tell();
  };
  const hostnameOf = (nodeId: NodeId): string => nodes.get(nodeId)?.hostname ?? '';
  const given = (booked: BookedOrder): GivenOrder => ({ ...booked.order, nodes: outcomesOf(booked, hostnameOf) });
  /** Whether an answer may come soon: without an agent a node answers when it is next used, and nobody can reach a store without a server. */
  const isAwaited = (booked: BookedOrder): boolean =>
    isServer && [...booked.nodes.keys()].some((nodeId) => isOpenOn(booked, nodeId) && mayAnswer(nodeId));
  const mayAnswer = (nodeId: NodeId): boolean => {
    const record = nodes.get(nodeId);
    const isFresh = record?.agent === true && now().getTime() - Date.parse(record.last_seen) < agentFreshMs;
    return watchers.has(nodeId) || isFresh;
  };
  const find = (orderId: string): BookedOrder => {
    const booked = book.orders.get(orderId);
    if (booked !== undefined && !booked.isPrepared) return booked;
    throw new SkulkError('ORDER_NOT_FOUND', `there is no order ${orderId.slice(0, 24)}`, { hint: '`skulk nodes` lists what is pending' });
  };
  const make = ({ kind, model_id, force }: OrderRequest): Order => ({
    kind,
    model_id,
    force,
    order_id: randomBytes(12).toString('hex'),
    seq: book.next,
    given_at: now().toISOString(),
  });

  const addressees = (named: readonly NodeId[] | undefined): readonly NodeId[] => {
    const stranger = named?.find((nodeId) => !nodes.has(nodeId));
    if (stranger !== undefined) throw unknownNode(stranger);
    return named === undefined ? [...nodes.keys()] : [...new Set(named)];
  };
  const facts = (): RetirementFacts => ({ now: now().getTime(), listens: (nodeId) => watchers.has(nodeId) });
  /** Drops nodes and their orders. Inside of a change. */
  const drop = async (gone: readonly NodeId[]): Promise<void> => {
    const rest = new Map(nodes);
    for (const nodeId of gone) rest.delete(nodeId);
    await writeNodeList(nodesPath, rest);
    // Others may have reported meanwhile.
    for (const nodeId of gone) nodes.delete(nodeId);
    await write(...gone.map((forget) => ({ forget })));
  };
  let waitingToBeSaved: Promise<void> | undefined;
  /** Writes the list of nodes. Who asks before it is begun shares one write: a rack that starts at once would wait for a sync each. */
  const saveNodes = (): Promise<void> => {
    if (waitingToBeSaved !== undefined) return waitingToBeSaved;
    const begin = (): void => {
      waitingToBeSaved = undefined;
    };
    const saving = change(async () => {
      begin();
      await writeNodeList(nodesPath, nodes);
    });
    waitingToBeSaved = saving;
    saving.catch(begin);
    return saving;
  };
  let retiredAt = Number.NEGATIVE_INFINITY;
  const retire = async (): Promise<void> => {
    if (!isServer || now().getTime() - retiredAt < retireEveryMs) return;
    retiredAt = now().getTime();
    const remembered = await remembrance();
    await change(async () => {
      const gone = silentNodes(nodes.values(), facts(), remembered);
      if (gone.length > 0) await drop(gone);
    });
  };
  /** Finds a place for a new node. Inside of a change. @throws SkulkError CONFLICT */
  const makeWay = async (address: string | null): Promise<void> => {
    const leaving = makeWayFor(nodes.values(), address, facts());
    if (leaving === undefined)
      throw new SkulkError('CONFLICT', `${nodeBounds.nodes} nodes are known, more are not taken`, {
        hint: '`skulk nodes --forget NODE` drops one that is gone',
      });
    if (leaving !== 'room') await drop([leaving]);
  };
  /** Gives up the oldest orders when there are too many: a copy that nobody orders away is evicted by the budget of its node. */
  const boundOrders = async (): Promise<void> => {
    const pending = book.pending();
    const tooMany = pending.slice(0, Math.max(0, pending.length - mostPending + 1));
    if (tooMany.length > 0) await write(...tooMany.map(({ order }) => ({ drop: order.order_id })));
  };
  const hasRoomFor = ({ node_id, copies }: NodeReport): boolean => {
    const others = [...nodes.values()].filter((record) => record.node_id !== node_id);
    return others.reduce((sum, record) => sum + (record.copies?.length ?? 0), copies?.length ?? 0) <= mostCopies;
  };

  return {
    onChange: (listener) => {
      changes.add(listener);
      return () => void changes.delete(listener);
    },
    report: async (report, { address } = {}) => {
      await ready();
      const before = nodes.get(report.node_id);
      // Without a server nobody can reach this store over HTTP, and what is done here is done at once.
      if (before === undefined && !isServer) return [];
      const told = hasRoomFor(report) ? report : { ...report, copies: null };
      const enter = (): boolean => {
        const known = nodes.get(report.node_id);
        const record = merge(known, told, address ?? null, now());
        nodes.set(record.node_id, record);
        tellChange();
        return isNews(known, record);
      };
      const hasRoom = before !== undefined || makeWayFor(nodes.values(), address ?? null, facts()) === 'room';
      const isNew = hasRoom
        ? enter()
        : // One after the other, as each may take the last place.
          await change(async () => {
            if (!nodes.has(report.node_id)) await makeWay(address ?? null);
            return enter();
          });
      if (isServer && isNew) await saveNodes();
      await retire();
      return book.openFor(report.node_id);
    },
    expects: async (nodeId) => {
      await ready();
      return !nodes.has(nodeId) || book.openFor(nodeId).length > 0;
    },
    orders: async function* (nodeId, signal) {
      await ready();
      const told = new Set<string>();
      const set = watchers.get(nodeId) ?? new Set();
      watchers.set(nodeId, set);
      let wake = (): void => {};
      const tell = (): void => wake();
      set.add(tell);
      signal.addEventListener('abort', tell);
      tellChange();
      try {
        while (!signal.aborted) {
          const fresh = book.openFor(nodeId).filter(({ order_id }) => !told.has(order_id));
          for (const order of fresh) {
            told.add(order.order_id);
            yield order;
          }
          if (fresh.length > 0) continue;
          let timer: NodeJS.Timeout | undefined;
          await new Promise<void>((resolve) => {
            wake = resolve;
            timer = setTimeout(resolve, heartbeatMs);
            timer.unref();
          });
          clearTimeout(timer);
          if (!signal.aborted) yield undefined;
        }
      } finally {
        set.delete(tell);
        if (set.size === 0) watchers.delete(nodeId);
        signal.removeEventListener('abort', tell);
        tellChange();
      }
    },
    acknowledge: (nodeId, orderId, outcome) =>
      change(async () => {
        const { nodes: asked } = find(orderId);
        if (!asked.has(nodeId))
          throw new SkulkError('ORDER_NOT_FOUND', `${nodeId} was not given the order ${orderId}`, { hint: 'it may have been forgotten' });
        const before = asked.get(nodeId);
        if (before?.status === 'done' || isSame(before, outcome)) return;
        await write({ ack: orderId, node: nodeId, outcome });
      }),
    give: (request) =>
      change(async () => {
        await boundOrders();
        const order = make(request);
        await write({ order, nodes: addressees(request.nodes) });
        tellNodes();
        return given(find(order.order_id));
      }),
    remove: async (modelId, { force }) => {
      await ready();
      const draw = () => ({ order: make({ kind: 'evict', model_id: modelId, force }), nodes: [...nodes.keys()] });
      let entry = draw();
      // Nobody has to be told.
      if (entry.nodes.length === 0)
        return { freedBytes: (await store.remove(modelId, { force })).freedBytes, order: { ...entry.order, nodes: [] } };
      const prepare = change(async () => {
        await boundOrders();
        entry = draw();
        await write({ ...entry, prepared: true });
      });
      // On a full disk there is room to write it down only when the model is gone.
      const isPrepared = await fits(prepare);
      try {
        const { freedBytes } = await store.remove(modelId, { force });
        return await change(async () => {
          const { order } = entry;
          await write(isPrepared ? { commit: order.order_id } : entry);
          tellNodes();
          return { freedBytes, order: given(find(order.order_id)) };
        });
      } catch (error) {
        // What the store could not end, it ends later; the next server sees which of the two it was.
        const isUndecided = !(await store.has(modelId).catch(() => true)) && !isMissing(error);
        if (isPrepared && !isUndecided) await change(() => write({ drop: entry.order.order_id }));
        throw error;
      }
    },
    outcome: async (orderId, { waitMs, signal }) => {
      await ready();
      const until = performance.now() + waitMs;
      for (;;) {
        const booked = find(orderId);
        const left = until - performance.now();
        if (left <= 0 || signal.aborted || !isAwaited(booked)) return given(booked);
        await changed(left, signal);
      }
    },
    pendingOrders: async () => {
      await ready();
      const pending: GivenOrder[] = [];
      let outcomes = 0;
      for (const booked of book.pending().toReversed()) {
        outcomes += booked.nodes.size;
        if (pending.length > 0 && outcomes > mostOutcomes) break;
        pending.push(given(booked));
      }
      return pending.toReversed();
    },
    nodes: async () => {
      await ready();
      return [...nodes.values()].map(
        (record): KnownNode => ({
          ...record,
          connected: watchers.has(record.node_id),
          pending_orders: book.openFor(record.node_id).length,
        }),
      );
    },
    forget: (nodeId) =>
      change(async () => {
        if (!nodes.has(nodeId)) throw unknownNode(nodeId);
        await drop([nodeId]);
      }),
  };

  async function changed(withinMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        changes.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      changes.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

const unknownNode = (nodeId: NodeId): SkulkError =>
  new SkulkError('NODE_NOT_FOUND', `no node is called ${nodeId}`, { hint: '`skulk nodes` lists them' });

/** Files that a dead server was writing; this one is the only writer. */
async function removeDrafts(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names.filter((one) => /^\..+\.[0-9a-f]{12}\.tmp$/.test(one))) await rm(join(directory, name), { force: true });
}

/** Whether something could be written; a full disk is no failure here. */
async function fits(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND';

const isSame = (before: OrderOutcome | undefined, outcome: OrderOutcome): boolean =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(outcome);
