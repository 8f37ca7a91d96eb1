import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It takes what no other route does, so that it says nothing of what there is under a URL. */
    readonly isForWhatIsLeft?: boolean;
  }
}

/** Remembers the routes of an app; the answer gives the methods that a URL's path takes. */
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
