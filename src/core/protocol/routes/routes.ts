import { apiRoutes } from './api.ts';
import { fileServerRoutes } from './file-server.ts';
import { hubRoutes } from './hub.ts';
import { registryRoutes } from './registry.ts';

/**
 * Every request that a server of skulk answers, but for the page and `GET /openapi.json`: the servers register them, the client asks by
 * them, and the documentation is made of them.
 */
export const routes = { ...fileServerRoutes, ...apiRoutes, ...hubRoutes, ...registryRoutes } as const;

/** A method and a pattern: `GET /models/:id/files`. */
export type RouteName = keyof typeof routes;
