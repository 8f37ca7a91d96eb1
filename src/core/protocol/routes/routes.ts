import { apiRoutes } from './api.ts';
import { fileServerRoutes } from './file-server.ts';
import { hubRoutes } from './hub.ts';
import { registryRoutes } from './registry.ts';

/**
 * Every route of skulk's servers, except the page and `GET /openapi.json`. The servers register them, the client uses them, and the
 * documentation is generated from them.
 */
export const routes = { ...fileServerRoutes, ...apiRoutes, ...hubRoutes, ...registryRoutes } as const;

/** A method and a pattern: `GET /models/:id/files`. */
export type RouteName = keyof typeof routes;
