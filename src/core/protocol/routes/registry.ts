import { registryErrors, registryManifest, registryRoot } from '../registry.ts';
import { bytes, type Routes } from './route.ts';

const failures = [403, 404, 503] as const;

/** The registry for Ollama and llama.cpp, on both ports; a node forwards it. */
export const registryRoutes = {
  'GET /v2/': {
    role: 'read',
    summary: 'Confirms that this is a registry of models, for Ollama and llama.cpp',
    answers: { 200: registryRoot },
    failures: [403],
    failureBody: registryErrors,
  },
  'GET /v2/:org/:name/manifests/:tag': {
    role: 'read',
    summary: 'The manifest of a tag of a model: a quantization, the name of a GGUF file, or `latest`',
    answers: { 200: { type: 'application/vnd.docker.distribution.manifest.v2+json', schema: registryManifest } },
    failures,
    failureBody: registryErrors,
  },
  'GET /v2/:org/:name/blobs/:digest': {
    role: 'read',
    summary: 'The bytes with a digest; ranges and conditions as in RFC 9110',
    answers: { 200: bytes('The bytes; the `ETag` is their sha256'), 206: bytes('A range of them') },
    failures: [400, ...failures],
    failureBody: registryErrors,
  },
} as const satisfies Routes;
