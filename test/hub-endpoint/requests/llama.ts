import { type Client, call, get, gguf, ggufApi, head, type Sent, shard } from './request.ts';

const json = { Accept: 'application/json' };
const listing: readonly Sent[] = [
  get(`${ggufApi}/refs`, 200, { headers: json }),
  get(`${ggufApi}/tree/{commit}?recursive=true`, 200, { headers: json }),
];
/** All heads first, then the files at one time. */
const files = (...paths: readonly string[]): readonly Sent[] => [
  ...paths.map((path) => head(`${gguf}/{commit}/${path}`)),
  ...paths.map((path) => get(`${gguf}/{commit}/${path}`, 200, { headers: { Accept: '*/*' } })),
];
/** Of older versions, which ask the registry. */
const registry = (tag: string): Sent => get(`/v2/acme/tiny-GGUF/manifests/${tag}`, 200, { headers: json });

/** llama.cpp 0.7, and the requests of versions before. */
export const llamaCpp: readonly Client[] = [
  {
    name: 'llama.cpp 0.7',
    headers: { 'User-Agent': 'llama-cpp/b11669', 'Accept-Encoding': '' },
    calls: [
      call('-hf org/name', ...listing, ...files('tiny-Q4_K_M.gguf')),
      call('-hf org/name:TAG', ...listing, ...files('tiny-Q8_0.gguf')),
      call('-hf org/name:TAG of a split file', ...listing, ...files(shard(3), shard(2), shard(1))),
      call('-hf org/name with a projector', ...listing, ...files('mmproj-tiny-F16.gguf', 'tiny-Q8_0.gguf')),
      call('-hf org/name:TAG that is missing', ...listing),
      call('-hf org/none', get('/api/models/acme/none/refs', 404, { headers: json, code: 'RepoNotFound' })),
      call('-mu URL', head(`${gguf}/main/tiny-Q8_0.gguf`), get(`${gguf}/main/tiny-Q8_0.gguf`)),
      call(
        'a file that goes on after a cut',
        head(`${gguf}/{commit}/tiny-Q8_0.gguf`),
        get(`${gguf}/{commit}/tiny-Q8_0.gguf`, 206, { headers: { Range: 'bytes=100000-' } }),
      ),
    ],
  },
  {
    name: 'llama.cpp before 0.5',
    headers: { 'User-Agent': 'llama-cpp' },
    calls: [
      call('-hf org/name', registry('latest'), head(`${gguf}/main/tiny-Q4_K_M.gguf`), get(`${gguf}/main/tiny-Q4_K_M.gguf`)),
      call('-hf org/name:tag', registry('q8_0'), head(`${gguf}/main/tiny-Q8_0.gguf`)),
      call('-hf org/name:TAG that is missing', get('/v2/acme/tiny-GGUF/manifests/Q2_K', 404, { headers: json, code: 'MANIFEST_UNKNOWN' })),
      call('-hf org/none', get('/v2/acme/none/manifests/latest', 404, { headers: json, code: 'NAME_UNKNOWN' })),
      call('docker:org/name', get('/v2/'), head('/v2/acme/tiny-GGUF/blobs/{model}'), get('/v2/acme/tiny-GGUF/blobs/{model}')),
    ],
  },
];
