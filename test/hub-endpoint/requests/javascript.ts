import { type Client, call, get, gguf, head, llama, llamaApi, llamaFiles, post, type Sent, shard, sizes } from './request.ts';

const json = { Accept: 'application/json' };
const jsonBody = { ...json, 'Content-Type': 'application/json' };
const token = { Authorization: 'Bearer hf_aaaa' };
const fields = ['pipeline_tag', 'private', 'gated', 'downloads', 'likes', 'lastModified'].map((field) => `expand=${field}`).join('&');
/** How @huggingface/hub asks what a file is: with its first byte, and with an Accept that Xet would answer. */
const info = (target: string, status = 206, more: Partial<Sent> = {}): Sent =>
  get(target, status, {
    ...more,
    headers: { Range: 'bytes=0-0', Accept: 'application/vnd.xet-fileinfo+json, */*', 'Accept-Encoding': 'identity' },
  });
const part = (target: string, range: string): Sent => get(target, 206, { headers: { Range: range, 'Accept-Encoding': 'identity' } });
const paths = (revision: string, body: object): Sent =>
  post(`${llamaApi}/paths-info/${revision}`, 200, { headers: jsonBody, body: JSON.stringify(body) });
const tree = (query: string): Sent => get(`${llamaApi}/tree/main?recursive=true&expand=${query}`, 200, { headers: json });
const weights = `${llama}/main/model.safetensors`;

const hub: Client = {
  name: '@huggingface/hub 2.17',
  headers: { Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', 'Accept-Language': '*', 'Sec-Fetch-Mode': 'cors', 'User-Agent': 'node' },
  calls: [
    call('listFiles', tree('false')),
    call('listFiles with commits', tree('true')),
    call('modelInfo', get(`${llamaApi}/revision/HEAD?${fields}`)),
    call('modelInfo with more fields', get(`${llamaApi}/revision/HEAD?${fields}&expand=sha&expand=siblings&expand=cardData`)),
    call('fileExists', head('/acme/tiny-llama/raw/main/config.json')),
    call('fileExists of a missing file', head('/acme/tiny-llama/raw/main/no.json', 404, { code: 'EntryNotFound' })),
    call('fileDownloadInfo', info(weights)),
    call('fileDownloadInfo of a pointer', info('/acme/tiny-llama/raw/main/model.safetensors')),
    call('fileDownloadInfo of an empty file', info(`${llama}/main/empty.txt`, 200)),
    call('fileDownloadInfo of a missing file', info(`${llama}/main/none`, 404, { code: 'EntryNotFound' })),
    call('downloadFile', info(`${llama}/main/config.json`), get(`${llama}/main/config.json`)),
    call('downloadFile and a slice', info(weights), part(weights, 'bytes=10-19')),
    call('downloadFileToCacheDir', paths('main', { paths: ['model.safetensors'], expand: true }), info(weights), get(weights)),
    call('downloadFileToCacheDir again', paths('main', { paths: ['model.safetensors'], expand: true })),
    call(
      'snapshotDownload',
      get(`${llamaApi}/revision/main?${fields}&expand=sha`),
      get(`${llamaApi}/tree/{commit}?recursive=true&expand=false`, 200, { headers: json }),
      ...llamaFiles.flatMap((path) => {
        // It leaves a plus as it is.
        const target = `${llama}/{commit}/${path.replace('%2B', '+')}`;
        return [
          paths('{commit}', { paths: [decodeURIComponent(path)], expand: true }),
          info(target, path === 'empty.txt' ? 200 : 206),
          get(target),
        ];
      }),
    ),
    call('pathsInfo', paths('main', { paths: ['config.json', 'sub'] })),
    call('pathsInfo with commits', paths('main', { paths: ['config.json'], expand: true })),
    call('listModels', get(`/api/models?limit=500&search=tiny&${fields}`, 200, { headers: json })),
    call('listModels of an owner', get(`/api/models?limit=2&author=acme&${fields}`, 200, { headers: json })),
    call('listCommits', get(`${llamaApi}/commits/main?limit=100`)),
    call(
      'parseSafetensorsMetadata',
      head('/acme/tiny-llama/raw/main/model.safetensors'),
      info(weights),
      part(weights, 'bytes=0-7'),
      part(weights, 'bytes=8-74'),
    ),
    call('checkRepoAccess', get(llamaApi, 200, { headers: token })),
    call('whoAmI', get('/api/whoami-v2', 401, { headers: token })),
    call(
      'uploadFile',
      post(`${llamaApi}/preupload/main`, 403, {
        headers: { ...token, 'Content-Type': 'application/json' },
        body: '{"files":[{"path":"x","size":1,"sample":"eA=="}]}',
      }),
    ),
    call('downloadFile of a gated repo', info('/acme/gated/resolve/main/config.json', 401, { code: 'GatedRepo' })),
  ],
};

const transformers: Client = {
  name: '@huggingface/transformers 4.3',
  headers: { Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', 'User-Agent': 'transformers.js/4.3.1; is_ci/false;' },
  calls: [
    call('AutoConfig', get(`${llama}/main/config.json`)),
    call(
      'AutoTokenizer',
      get(`${llama}/main/tokenizer_config.json`, 206, { headers: { Range: 'bytes=0-0', 'Accept-Encoding': 'identity' } }),
      get(`${llama}/main/tokenizer.json`),
      get(`${llama}/main/tokenizer_config.json`),
    ),
    call('AutoTokenizer at a commit', get(`${llama}/{commit}/tokenizer.json`), get(`${llama}/{commit}/tokenizer_config.json`)),
    call('weights that a model does not have', get(`${llama}/main/onnx/model.onnx`, 404, { code: 'EntryNotFound' })),
  ],
};

/** It begins with all of a file, and leaves it for parts. */
const split = (path: string, size: number): readonly Sent[] => {
  const target = `${gguf}/main/${path}?download=true`;
  return [get(target), part(target, `bytes=0-${size - 1}`)];
};
const manifest = (tag: string, status = 200, code?: string): Sent =>
  get(`/v2/acme/tiny-GGUF/manifests/${tag}`, status, {
    headers: { 'User-Agent': 'llama-cpp', 'Accept-Encoding': 'gzip, deflate' },
    ...(code !== undefined && { code }),
  });

const nodeLlama: Client = {
  name: 'node-llama-cpp 3.22',
  headers: { Accept: '*/*', 'Accept-Encoding': 'identity', 'User-Agent': 'node' },
  calls: [
    call('hf:org/name:TAG', manifest('Q4_K_M'), ...split('tiny-Q4_K_M.gguf', sizes.q4)),
    call(
      'a file in halves, after all of it was begun',
      part(`${gguf}/main/tiny-Q8_0.gguf?download=true`, `bytes=0-${sizes.q8 - 1}`),
      get(`${gguf}/main/tiny-Q8_0.gguf?download=true`, 200, { leaves: true }),
      part(`${gguf}/main/tiny-Q8_0.gguf?download=true`, 'bytes=0-249999'),
      part(`${gguf}/main/tiny-Q8_0.gguf?download=true`, 'bytes=250000-499999'),
      part(`${gguf}/main/tiny-Q8_0.gguf?download=true`, 'bytes=125000-249999'),
      part(`${gguf}/main/tiny-Q8_0.gguf?download=true`, 'bytes=375000-499999'),
    ),
    call('hf:org/name/first-shard', ...[1, 3, 2].flatMap((number) => split(shard(number), sizes.shard))),
    call('hf:org/name:TAG of a split file', manifest('BF16'), ...[2, 3, 1].flatMap((number) => split(shard(number), sizes.shard))),
    call('hf:org/name', manifest('latest'), ...split('tiny-Q4_K_M.gguf', sizes.q4)),
    call('hf:org/name:TAG that is missing', manifest('Q2_K', 404, 'MANIFEST_UNKNOWN')),
    call('hf:org/none:TAG', get('/v2/acme/none/manifests/Q4_K_M', 404, { headers: { 'User-Agent': 'llama-cpp' }, code: 'NAME_UNKNOWN' })),
  ],
};

/** Clients that are written in JavaScript. */
export const javascript: readonly Client[] = [hub, transformers, nodeLlama];
