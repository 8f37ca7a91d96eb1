import { count, object, oneOf, orNull, type Shape, text, verbatim, wholeList } from './schema.ts';

/** `$SKULK_HOME/serve.json`: the running server of this machine (docs/on-disk-format.md). */
export const serveRecord = object({
  pid: count(),
  startTime: verbatim(),
  namespaces: wholeList(orNull(verbatim()), {
    description: 'Its pid and network namespaces; the pid and the URLs are not valid in others',
  }),
  role: oneOf(['store', 'node']),
  storePath: orNull(verbatim()),
  apiUrl: verbatim({ description: 'URL of the API for other machines' }),
  localApiUrl: verbatim({ description: 'URL of the API on this machine' }),
  urls: wholeList(verbatim(), { description: 'Every URL at which this process answers' }),
});
export type ServeRecord = Shape<typeof serveRecord>;

/** The data of `$SKULK_HOME/known-stores.json`, section `served`, about a directory that this machine served as a store. */
export const servedStore = object({
  store_id: text(),
  models: orNull(count(), 'Last known number of models; null if unknown'),
});
