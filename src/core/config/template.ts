/** The content of a new configuration file. An undefined value becomes a comment, or its default. */
export interface TemplateAnswers {
  readonly storeHost: string;
  readonly storePath: string | undefined;
  readonly storeHttpHost?: string | undefined;
  readonly storePort?: number | undefined;
  readonly nodeCachePath?: string | undefined;
  /** GiB. */
  readonly keepRecentGb?: number | undefined;
}

/** A commented configuration file for `skulk config init`. Values are written as JSON strings, which YAML reads unchanged. */
export function configTemplate({
  storeHost,
  storePath,
  storeHttpHost,
  storePort = 58080,
  nodeCachePath,
  keepRecentGb = 40,
}: TemplateAnswers): string {
  return `# Configuration of skulk; \`man 5 skulk-config\` describes every key.
model_store:
  enabled: true
  # Host name or node id of the machine that keeps the canonical copies.
  store_host: ${JSON.stringify(storeHost)}
  # An address at which nodes reach that machine, if its name does not work.
  ${storeHttpHost === undefined ? '# store_http_host: 192.168.1.10' : `store_http_host: ${JSON.stringify(storeHttpHost)}`}
  store_port: ${storePort}
  # Where the canonical copies are, on that machine.
  ${storePath === undefined ? '# store_path: $SKULK_HOME/store' : `store_path: ${JSON.stringify(storePath)}`}
  api_port: 52415
  download:
    # false: never ask Hugging Face (air-gapped).
    allow_hf_fallback: true
  staging:
    enabled: true
    # Where each machine keeps its verified copies. On the store host it may be store_path itself: nothing is copied then.
    ${nodeCachePath === undefined ? '# node_cache_path: $SKULK_HOME/staging' : `node_cache_path: ${JSON.stringify(nodeCachePath)}`}
    cleanup_on_deactivate: true
    # How many GiB of idle copies to keep; 0 keeps none.
    staging_keep_recent_gb: ${keepRecentGb}
  # Staging settings for single machines, by host name or node id.
  # node_overrides:
  #   some-machine:
  #     staging:
  #       node_cache_path: /mnt/models
`;
}
