import { type Call, type Client, call, get, gguf, ggufApi, head, llama, llamaApi, llamaFiles, post, type Sent, shard } from './request.ts';

const token = { Authorization: 'Bearer hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const json = { 'Content-Type': 'application/json' };
const identity = { headers: { 'Accept-Encoding': 'identity' } };
const plain = (target: string, status = 200, more: Partial<Sent> = {}): Sent => head(target, status, { ...more, ...identity });
const both = (target: string): readonly Sent[] => [plain(target), get(target)];

/** @param yes, no how it writes booleans. @param isLater whether it asks for the tree of a commit, which 1.x keeps */
const callsOf = ({ yes, no, isLater }: { readonly yes: string; readonly no: string; readonly isLater: boolean }): readonly Call[] => {
  const treeOf = (api: string): readonly Sent[] => (isLater ? [get(`${api}/tree/{commit}?recursive=true&expand=false`)] : []);
  return [
    call('hf_hub_download', ...both(`${llama}/main/config.json`)),
    call('hf_hub_download again', plain(`${llama}/main/config.json`)),
    call('hf_hub_download of a large file', ...both(`${llama}/main/model.safetensors`)),
    call('hf_hub_download of an empty file', plain(`${llama}/main/empty.txt`)),
    call('hf_hub_download of an odd name', ...both(`${llama}/main/sub/deep/x%20y%2B%C3%A9.json`)),
    call('hf_hub_download of a missing file', plain(`${llama}/main/nope.json`, 404, { code: 'EntryNotFound' })),
    call('hf_hub_download of a missing repo', plain('/acme/none/resolve/main/nope.json', 404, { code: 'RepoNotFound' })),
    call('hf_hub_download of a missing revision', plain(`${llama}/v9/config.json`, 404, { code: 'RevisionNotFound' })),
    call('hf_hub_download of a gated repo', plain('/acme/gated/resolve/main/config.json', 401, { code: 'GatedRepo' })),
    call(
      'snapshot_download',
      get(`${llamaApi}/revision/main`),
      ...treeOf(llamaApi),
      ...['.gitattributes', 'README.md', 'tokenizer_config.json', 'tokenizer.json'].flatMap((path) => both(`${llama}/{commit}/${path}`)),
    ),
    call('snapshot_download again', get(`${llamaApi}/revision/main`)),
    call('snapshot_download to a directory', ...treeOf(llamaApi), ...llamaFiles.map((path) => plain(`${llama}/{commit}/${path}`))),
    call(
      'snapshot_download of what a pattern allows',
      get(`${ggufApi}/revision/main`),
      ...treeOf(ggufApi),
      ...both(`${gguf}/{commit}/tiny-Q4_K_M.gguf`),
    ),
    call(
      'snapshot_download as a dry run',
      get(`${ggufApi}/revision/main`),
      ...[shard(1), shard(2), shard(3), 'README.md', 'mmproj-tiny-F16.gguf', 'config.json', 'tiny-Q8_0.gguf'].map((path) =>
        plain(`${gguf}/{commit}/${path}`),
      ),
    ),
    call('model_info', get(llamaApi)),
    call('model_info with the metadata of files', get(`${llamaApi}?blobs=${yes}`)),
    call('model_info with fields', get(`${llamaApi}?expand=sha&expand=downloads`)),
    call('list_repo_files', get(`${llamaApi}/tree/main?recursive=${yes}&expand=${no}`)),
    call('list_repo_tree of the top', get(`${llamaApi}/tree/main?recursive=${no}&expand=${no}`)),
    call('list_repo_tree of a directory', get(`${llamaApi}/tree/main/sub?recursive=${yes}&expand=${yes}`)),
    call(
      'get_paths_info',
      post(`${llamaApi}/paths-info/main`, 200, { headers: form, body: `paths=config.json&paths=sub&paths=zz&expand=${no}` }),
    ),
    call('list_repo_refs', get(`${llamaApi}/refs`)),
    call('list_repo_commits', get(`${llamaApi}/commits/main`)),
    call('repo_exists', get(llamaApi)),
    call('file_exists', plain(`${llama}/main/config.json`)),
    call('revision_exists', get(`${llamaApi}/revision/v1`, 404, { code: 'RevisionNotFound' })),
    call('list_models by a word', get('/api/models?search=tiny&limit=5')),
    call('list_models by an author', get('/api/models?author=acme')),
    call('whoami', get('/api/whoami-v2', 401, { headers: token })),
    call('auth_check', get(`${llamaApi}/auth-check`)),
    call(
      'upload_file',
      post(`${llamaApi}/preupload/main`, 403, {
        headers: { ...token, ...json },
        body: '{"files": [{"path": "x", "sample": "eA==", "size": 1}]}',
      }),
    ),
    call(
      'create_repo',
      post('/api/repos/create', 403, { headers: { ...token, ...json }, body: '{"name": "new", "organization": "acme"}' }),
    ),
    call('hf_hub_download of a data set', plain('/datasets/acme/ds/resolve/main/x', 404, { code: 'RepoNotFound' })),
    call(
      'get_safetensors_metadata',
      plain(`${llama}/main/model.safetensors`),
      get(`${llama}/main/model.safetensors`, 206, { headers: { Range: 'bytes=0-100000' } }),
    ),
    call('ModelCard.load', plain(`${llama}/main/README.md`)),
    call('HfFileSystem.ls', get(llamaApi), get(`${llamaApi}/tree/main?recursive=${no}&expand=${no}`)),
    call(
      'HfFileSystem.ls and info with commits',
      get(`${llamaApi}/tree/main?recursive=${no}&expand=${yes}`),
      post(`${llamaApi}/paths-info/main`, 200, { headers: form, body: `paths=config.json&expand=${yes}` }),
    ),
    call('HfFileSystem.read_text', get(`${llama}/main/config.json`)),
    call(
      'HfFileSystem.open and read of blocks',
      get(`${llama}/main/model.safetensors`, 206, { headers: { Range: 'bytes=0-524287' } }),
      get(`${llama}/main/model.safetensors`, 206, { headers: { Range: 'bytes=1153433-1200074' } }),
    ),
    call('get_hf_file_metadata', plain(`${llama}/main/model.safetensors`)),
    call('hf_hub_download of an id without an organization', plain('/one/resolve/main/config.json', 404, { code: 'RepoNotFound' })),
    ...(isLater ? [call('resolve_revision', get(llamaApi)), call('verify_repo_checksums', ...treeOf(llamaApi))] : []),
    call('a download that goes on after a cut', get(`${llama}/{commit}/model.safetensors`, 206, { headers: { Range: 'bytes=700000-' } })),
  ];
};

const harnesses = get('/api/agent-harnesses');
const headers = (agent: string) => ({ Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', Connection: 'keep-alive', 'User-Agent': agent });

/** huggingface_hub 1.29, 0.36.2 and the command `hf` of 1.23. */
export const python: readonly Client[] = [
  {
    name: 'huggingface_hub 1.29',
    headers: headers('unknown/None; hf_hub/1.29.0; python/3.12.3'),
    calls: [call('the start', harnesses), ...callsOf({ yes: 'true', no: 'false', isLater: true })],
  },
  {
    name: 'huggingface_hub 0.36',
    headers: headers('unknown/None; hf_hub/0.36.2; python/3.11.7'),
    calls: callsOf({ yes: 'True', no: 'False', isLater: false }),
  },
  {
    name: 'hf 1.23',
    headers: headers('unknown/None; hf_hub/1.23.0; python/3.14.1'),
    calls: [
      call(
        'hf download',
        harnesses,
        get(`${llamaApi}/revision/main`),
        get(`${llamaApi}/tree/{commit}?recursive=true&expand=false`),
        ...llamaFiles.flatMap((path) => (path === 'empty.txt' ? [plain(`${llama}/{commit}/${path}`)] : both(`${llama}/{commit}/${path}`))),
      ),
      call(
        'hf download --include',
        harnesses,
        get(`${ggufApi}/revision/main`),
        get(`${ggufApi}/tree/{commit}?recursive=true&expand=false`),
        ...both(`${gguf}/{commit}/tiny-Q8_0.gguf`),
      ),
      call('hf download --local-dir', harnesses, plain(`${llama}/main/config.json`)),
      call('hf download --dry-run', harnesses, get(`${llamaApi}/revision/main`)),
      call('hf cache ls', harnesses),
      call('hf cache verify', get(`${llamaApi}/tree/{commit}?recursive=true&expand=false`)),
      call('hf models ls --search', harnesses, get('/api/models?search=tiny&limit=30')),
      call('hf models info', harnesses, get(llamaApi)),
      call('hf auth whoami', harnesses),
      call(
        'hf repo create',
        post('/api/repos/create', 403, { headers: json, body: '{"name":"new","organization":"acme","type":"model"}' }),
      ),
      call(
        'hf upload',
        harnesses,
        post('/api/repos/create', 403, { headers: json, body: '{"name":"tiny-llama","organization":"acme","type":"model"}' }),
      ),
      call('hf cache rm', harnesses),
      call('hf download of a missing repo', get('/api/models/acme/none/revision/main', 404, { code: 'RepoNotFound' })),
      call('hf download of a gated repo', harnesses, get('/api/models/acme/gated/revision/main', 401, { code: 'GatedRepo' })),
      call('hf download of a data set', harnesses, get('/api/datasets/acme/ds/revision/main', 404, { code: 'RepoNotFound' })),
    ],
  },
];
