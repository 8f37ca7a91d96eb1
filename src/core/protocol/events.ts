import type { TObject } from 'typebox';
import { downloadList } from './downloads.ts';
import { nodeList, orderList } from './fleet.ts';
import { healthView } from './health.ts';
import { countedEntry } from './models.ts';
import { optimizationList } from './optimizations.ts';
import { list, object, type Shape } from './schema.ts';
import { configView } from './settings.ts';
import { stagingJobs, stagingView } from './staging.ts';
import { Type } from './type-builder.ts';
import { uploadList } from './uploads.ts';

/** The events of `/store/events`, by name; each has the complete list. */
export const storeTopics = object({
  registry: object({ entries: list(countedEntry) }),
  downloads: downloadList,
  uploads: uploadList,
  optimizations: optimizationList,
  nodes: nodeList,
  orders: orderList,
  health: healthView,
});
export type StoreTopics = Shape<typeof storeTopics>;

/** The events of `/node/events`, by name. */
export const nodeTopics = object({ storage: stagingView, staging: stagingJobs, config: configView });
export type NodeTopics = Shape<typeof nodeTopics>;

/** The documentation of an event stream: each event has one of these documents, by its name. */
const eventsOf = ({ properties }: TObject) =>
  Type.Object(Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)])), {
    description: 'Server-Sent Events; each carries the document of its name. All are sent at first, then each one when it changes',
  });
export const storeEvents = eventsOf(storeTopics);
export const nodeEvents = eventsOf(nodeTopics);
