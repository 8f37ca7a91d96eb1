import { type Client, call, get, head, llama, llamaApi, llamaFiles, sizes } from './request.ts';

const weights = `${llama}/main/model.safetensors`;
const range = (value: string) => ({ headers: { Range: `bytes=${value}` } });
const step = 100 * 1024;
const quick = { Accept: '*/*,application/metalink4+xml,application/metalink+xml' };

/** git, wget, curl, aria2, hfd.sh, and hf-hub for Rust, which asks for URLs as these do. */
export const byUrl: readonly Client[] = [
  {
    name: 'git',
    headers: {
      'User-Agent': 'git/2.39.5',
      Accept: '*/*',
      'Accept-Encoding': 'deflate, gzip, br, zstd',
      Pragma: 'no-cache',
      'Git-Protocol': 'version=2',
    },
    calls: [
      call('clone', get('/acme/tiny-llama/info/refs?service=git-upload-pack', 403)),
      call('clone of a name that ends in .git', get('/acme/tiny-llama.git/info/refs?service=git-upload-pack', 403)),
    ],
  },
  {
    name: 'wget',
    headers: { 'User-Agent': 'Wget/1.21.4', Accept: '*/*', 'Accept-Encoding': 'identity', Connection: 'Keep-Alive' },
    calls: [
      call('a URL', get(`${llama}/main/config.json?download=true`)),
      call('-c of a part', get(weights, 206, range('100000-'))),
      call('-c of a whole file', get(weights, 416, range(`${sizes.safetensors}-`))),
    ],
  },
  {
    name: 'curl',
    headers: { 'User-Agent': 'curl/8.5.0', Accept: '*/*' },
    calls: [
      call('-L -C - of a part', get(weights, 206, range('100000-'))),
      call('-C - of a whole file', get(weights, 416, range(`${sizes.safetensors}-`))),
      call('-C - of a whole empty file', get(`${llama}/main/empty.txt`)),
      call('-O -J', get(`${llama}/main/sub/deep/x%20y%2B%C3%A9.json`)),
      call('-I', head(weights)),
      call(
        '--etag-save and --etag-compare',
        head(`${llama}/main/config.json`),
        get(`${llama}/main/config.json`, 304, { headers: { 'If-None-Match': '{etag}' } }),
      ),
    ],
  },
  {
    name: 'aria2',
    headers: { 'User-Agent': 'aria2/1.37.0', Accept: '*/*', 'Want-Digest': 'SHA-512;q=1, SHA-256;q=1, SHA;q=0.1' },
    calls: [
      call(
        '-x 8',
        get(weights, 200, { headers: quick, leaves: true }),
        ...Array.from({ length: 12 }, (_, index) =>
          get(weights, 206, range(`${index * step}-${Math.min(sizes.safetensors, (index + 1) * step) - 1}`)),
        ),
      ),
      call('a plus as it is', get(`${llama}/main/sub/deep/x%20y+%C3%A9.json`)),
    ],
  },
  {
    name: 'hfd.sh',
    headers: { 'User-Agent': 'curl/8.5.0', Accept: '*/*' },
    calls: [
      call('a whole model', get(llamaApi), get(`${llamaApi}/revision/main`), ...llamaFiles.map((path) => get(`${llama}/main/${path}`))),
    ],
  },
  {
    name: 'hf-hub 0.4 for Rust',
    headers: { 'User-Agent': 'unkown/None; hf-hub/0.4.3; rust/unknown', Accept: '*/*' },
    calls: [
      call('info', get(`${llamaApi}/revision/main`)),
      call('get', get(`${llama}/main/config.json`, 206, range('0-0')), get(`${llama}/main/config.json`)),
      call(
        'get in parts',
        get(weights, 206, range('0-0')),
        get(weights, 206, range('0-999999')),
        get(weights, 206, range(`1000000-${sizes.safetensors - 1}`)),
      ),
      call('get of an empty file', get(`${llama}/main/empty.txt`, 200, range('0-0'))),
      call('get of a missing file', get(`${llama}/main/none`, 404, { ...range('0-0'), code: 'EntryNotFound' })),
    ],
  },
  {
    name: 'hf-hub 1.0 for Rust',
    headers: { 'User-Agent': 'unknown/None; hf-hub/1.0.0; rust/unknown', Accept: '*/*' },
    calls: [
      call('get', head(`${llama}/main/config.json`), get(`${llama}/{commit}/config.json`)),
      call(
        'get again',
        head(`${llama}/main/config.json`),
        head(`${llama}/main/config.json`, 304, { headers: { 'If-None-Match': '{etag}' } }),
      ),
      call('info', get(`${llamaApi}/revision/main`)),
      call('download of a snapshot', get(`${llamaApi}/tree/main?recursive=true&expand=true`), head(`${llama}/{commit}/model.safetensors`)),
    ],
  },
];
