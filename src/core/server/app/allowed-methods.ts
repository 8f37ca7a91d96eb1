import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It handles all remaining requests, so it does not show which methods a URL has. */
    readonly isForWhatIsLeft?: boolean;
  }
}

/** Collects the routes of an app. The returned function lists the methods of a URL's path. */
export function allowedMethods(app: FastifyInstance): (url: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.isForWhatIsLeft === true) return;
    const pattern = url
      .replaceAll(/[.+?^$()[\]{}|\\]/g, '\\$&')
      .replaceAll(/:[^/]+/g, '[^/]+')
      .replaceAll('*', '.*');
    routes.push({ pattern: new RegExp(`^${pattern}/?$`, 's'), methods: [method].flat() });
  });
  return (url) => {
    const path = url.replace(/\?.*$/s, '');
    return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
  };
}
