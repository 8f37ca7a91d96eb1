import { count, object, oneOf, orNull, type Shape, text, verbatim, wholeList } from './schema.ts';

/** `$SKULK_HOME/serve.json`: the server of this machine that runs now (docs/on-disk-format.md). */
export const serveRecord = object({
  pid: count(),
  startTime: verbatim(),
  namespaces: wholeList(orNull(verbatim()), {
    description: 'Its namespaces of pids and of the network; the pid and the URLs mean nothing in others',
  }),
  role: oneOf(['store', 'node']),
  storePath: orNull(verbatim()),
  apiUrl: verbatim({ description: 'Where the API answers, as other machines reach it' }),
  localApiUrl: verbatim({ description: 'Where the API answers on this machine' }),
  urls: wholeList(verbatim(), { description: 'Every URL at which this very process answers' }),
});
export type ServeRecord = Shape<typeof serveRecord>;

/** What `$SKULK_HOME/known-stores.json` says in its section `served` of a directory that this machine served as a store. */
export const servedStore = object({
  store_id: text(),
  models: orNull(count(), 'How many it had when it was last looked at; null when nobody counted'),
});
