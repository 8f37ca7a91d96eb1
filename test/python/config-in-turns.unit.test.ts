import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { changeConfigText, leavesOf } from '../../src/core/config/change-file.ts';
import { parseConfig } from '../../src/core/config/read-file.ts';

type Tree = Readonly<Record<string, unknown>>;

const staging = { enabled: 0, node_cache_path: 0, cleanup_on_deactivate: 0, staging_keep_recent_gb: 0 };
/** All keys that the Python program accepts; one more anywhere, and it does not load the file. */
const accepted: Tree = {
  model_store: {
    enabled: 0,
    store_host: 0,
    store_http_host: 0,
    store_port: 0,
    store_path: 0,
    download: { allow_hf_fallback: 0 },
    staging,
    node_overrides: { '*': { staging } },
  },
  inference: { kv_cache_backend: 0 },
  logging: { enabled: 0, ingest_url: 0 },
  tracing: { retention_days: 0 },
  connectivity: { tailscale: { enabled: 0, bootstrap_peers: 0 } },
  hf_token: 0,
};

/** Later releases also accept this section. */
const reconciliation = { enabled: 0, inventory_only: 0, interval_seconds: 0 };
const acceptedLater: Tree = { ...accepted, model_store: { ...(accepted['model_store'] as Tree), reconciliation } };

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function refuseStrangers(value: Tree, known: Tree, above = ''): void {
  for (const [key, item] of Object.entries(value)) {
    const of = known[key] ?? known['*'];
    if (of === undefined) throw new Error(`the Python program does not accept ${above}${key}`);
    if (isTree(item) && isTree(of)) refuseStrangers(item, of, `${above}${key}.`);
  }
}

/** The Python program loads a file. */
function loadAsPython(text: string, keys = accepted): Tree {
  const loaded = parse(text, { version: '1.1' }) as Tree;
  refuseStrangers(loaded, keys);
  return loaded;
}

/** Its page saves the whole configuration, without the token, which it keeps. All comments are lost. */
const saveAsPython = (text: string, change: (config: Record<string, unknown>) => Tree, keys = accepted): string => {
  const { hf_token, ...shown } = loadAsPython(text, keys);
  return stringify({ ...change(shown), ...(hf_token !== undefined && { hf_token }) }, { version: '1.1' });
};

/** skulk changes settings of a file. */
const changeAsSkulk = (text: string, change: Tree): string => changeConfigText(text, '/f/skulk.yaml', leavesOf(change)).text;

test('a configuration that the Python program and skulk change in turns keeps the keys of both', () => {
  let text = `# of this LAN
model_store:
  enabled: yes
  store_host: kite3   # the machine with the disks
  store_path: /srv/models
  staging: {node_cache_path: ~/.skulk/staging, staging_keep_recent_gb: 40}
  node_overrides:
    kite3: {staging: {cleanup_on_deactivate: off}}
inference: {kv_cache_backend: default}
connectivity: {tailscale: {enabled: true, bootstrap_peers: [/ip4/100.1.1.1/tcp/52416]}}
hf_token: hf_abcdefgh
`;
  text = changeAsSkulk(text, { model_store: { staging: { staging_keep_recent_gb: 12.5 }, store_http_host: '192.168.1.10' } });
  expect(text).toContain('# the machine with the disks');
  text = saveAsPython(text, (config) => ({ ...config, tracing: { retention_days: 7 }, inference: { kv_cache_backend: 'optiq' } }));
  text = changeAsSkulk(text, { model_store: { download: { allow_hf_fallback: false }, store_http_host: null } });
  text = saveAsPython(text, (config) => ({ ...config, logging: { enabled: true, ingest_url: 'http://10.0.0.1:9428/x' } }));
  text = changeAsSkulk(text, { model_store: { node_overrides: { kite4: { staging: { node_cache_path: '/fast' } } } } });
  expect(loadAsPython(text)).toEqual({
    model_store: {
      enabled: true,
      store_host: 'kite3',
      store_path: '/srv/models',
      staging: { node_cache_path: '~/.skulk/staging', staging_keep_recent_gb: 12.5 },
      download: { allow_hf_fallback: false },
      node_overrides: { kite3: { staging: { cleanup_on_deactivate: false } }, kite4: { staging: { node_cache_path: '/fast' } } },
    },
    inference: { kv_cache_backend: 'optiq' },
    connectivity: { tailscale: { enabled: true, bootstrap_peers: ['/ip4/100.1.1.1/tcp/52416'] } },
    tracing: { retention_days: 7 },
    logging: { enabled: true, ingest_url: 'http://10.0.0.1:9428/x' },
    hf_token: 'hf_abcdefgh',
  });
  // skulk reads the same.
  const { content, notes } = parseConfig(text, '/f/skulk.yaml');
  expect(content.model_store).toEqual(loadAsPython(text)['model_store']);
  expect(notes).toEqual([]);
});

test('a configuration of a later Python release, changed in turns, keeps its reconciliation, which skulk reports as ignored', () => {
  let text =
    'model_store:\n  store_host: kite3\n  store_port: 12415\n  reconciliation: {enabled: true, inventory_only: false, interval_seconds: 300}\n';
  text = changeAsSkulk(text, { model_store: { staging: { staging_keep_recent_gb: 7 } } });
  text = saveAsPython(text, (config) => ({ ...config, tracing: { retention_days: 7 } }), acceptedLater);
  text = changeAsSkulk(text, { model_store: { download: { allow_hf_fallback: false } } });
  const { model_store: store } = loadAsPython(text, acceptedLater);
  expect(store).toEqual({
    store_host: 'kite3',
    store_port: 12_415,
    reconciliation: { enabled: true, inventory_only: false, interval_seconds: 300 },
    staging: { staging_keep_recent_gb: 7 },
    download: { allow_hf_fallback: false },
  });
  const { notes } = parseConfig(text, '/f/skulk.yaml');
  expect(notes).toEqual([expect.stringContaining('model_store.reconciliation')]);
  // A first release would not load it.
  expect(() => loadAsPython(text)).toThrow('model_store.reconciliation');
});
