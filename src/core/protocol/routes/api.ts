import { administrationRoutes, sessionRoutes } from './api-access.ts';
import { nodeRoutes } from './api-node.ts';
import { storeRoutes } from './api-store.ts';

/** The routes of the API on port 52415. A store host has those about the store, about the session and of its administration on both ports. */
export const apiRoutes = { ...storeRoutes, ...sessionRoutes, ...administrationRoutes, ...nodeRoutes } as const;
