/** Words that people try, which are not commands, and what to use. They are not aliases, because some of these programs do more. */
const hints: Readonly<Record<string, string>> = {
  find: 'to find models by a part of their name: skulk registry WORD',
  search: 'to find models by a part of their name: skulk registry WORD; the page also searches Hugging Face: skulk open',
  info: 'did you mean "skulk show"?',
  inspect: 'did you mean "skulk show"?',
  get: 'did you mean "skulk stage", or "skulk download" to download only into the store?',
  import: 'did you mean "skulk add"?',
  upload: 'did you mean "skulk add"?',
  push: 'did you mean "skulk add"?',
  remove: 'did you mean "skulk delete"? "skulk purge-staging" removes only the copy on this machine',
  purge: 'did you mean "skulk purge-staging", or "skulk delete" to remove a model everywhere?',
  gc: 'did you mean "skulk reconcile"?',
  prune: 'did you mean "skulk reconcile"?',
  start: 'did you mean "skulk serve", or "skulk service install" for a service?',
  stop: 'end `skulk serve` with Ctrl-C; a service: systemctl --user stop skulk',
  restart: 'did you mean "skulk service restart"?',
  logs: 'did you mean "skulk service logs"?',
  init: 'did you mean "skulk config init"?',
  login: 'set SKULK_TOKEN to a token that `skulk token create NAME --role node` prints on the store host',
  update: 'did you mean "skulk upgrade"?',
  install: 'did you mean "skulk service install", or "skulk stage" for a model?',
  uninstall: 'first `skulk service uninstall`, then: sh install.sh --uninstall, or sudo apt purge skulk, or npm uninstall -g skulk',
};

/** The hint for a word that is not a command; undefined if there is none. */
export const hintForWord = (word: string): string | undefined => (Object.hasOwn(hints, word) ? hints[word] : undefined);
