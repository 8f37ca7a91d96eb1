import { type Client, call, get, head, type Sent, sizes } from './request.ts';

const accept = { Accept: 'application/vnd.docker.distribution.manifest.v2+json', 'Accept-Encoding': 'gzip' };
const manifest = (name: string, status = 200, code?: string): Sent =>
  get(`/v2/acme/${name}`, status, { headers: accept, ...(code !== undefined && { code }) });

/** It looks, begins with all of it and leaves, and then asks for parts at the `Location` as another agent. */
const blob = (digest: string, ranges: readonly string[]): readonly Sent[] => {
  const target = `/v2/acme/tiny-GGUF/blobs/{${digest}}`;
  return [
    head(target),
    get(target, 200, { headers: { 'Accept-Encoding': 'gzip' }, leaves: true }),
    ...ranges.map((range) => get(target, 206, { headers: { Range: `bytes=${range}`, 'User-Agent': 'Go-http-client/1.1' } })),
  ];
};
/** `{end}` is the last byte of what the manifest says. */
const small = ['template', 'params', 'config'].flatMap((digest) => blob(digest, ['0-{end}']));

/** `ollama pull`, from its source of August 2026. */
export const ollama: readonly Client[] = [
  {
    name: 'Ollama',
    headers: { 'User-Agent': 'ollama/0.12.0 (amd64 linux) Go/go1.26.0' },
    calls: [
      call(
        'pull --insecure',
        manifest('tiny-GGUF/manifests/Q4_K_M'),
        ...blob('model', [`0-${sizes.q4 - 1}`]),
        ...blob('projector', [`0-${sizes.projector - 1}`]),
        ...small,
      ),
      call('pull again', manifest('tiny-GGUF/manifests/Q4_K_M')),
      call('pull in parts', ...blob('model', ['200000-299999', '100000-199999', '0-99999'])),
      call('pull without a tag', manifest('tiny-GGUF/manifests/latest')),
      call('pull in small letters', manifest('tiny-gguf/manifests/q8_0')),
      call('pull by the name of a file', manifest('tiny-GGUF/manifests/tiny-Q8_0.gguf')),
      call('pull of a missing tag', manifest('tiny-GGUF/manifests/Q2_K', 404, 'MANIFEST_UNKNOWN')),
      call('pull of a missing model', manifest('none/manifests/Q2_K', 404, 'NAME_UNKNOWN')),
      call('pull of a split file', manifest('tiny-GGUF/manifests/BF16', 404, 'MANIFEST_UNKNOWN')),
    ],
  },
];
