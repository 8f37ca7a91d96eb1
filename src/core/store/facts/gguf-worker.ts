import { parentPort } from 'node:worker_threads';
import { GGMLFileQuantizationType, gguf } from '@huggingface/gguf';
import { toGgufFacts } from '../../catalog/gguf-facts.ts';
import { chatTemplateOf, type OllamaTemplate, toGgufHeader } from '../../catalog/gguf-header.ts';
import type { GgufQuestion, GgufReply } from './gguf-thread.ts';

// Metadata from outside may claim anything. On a thread it can be stopped, and its memory is bounded.
parentPort?.on('message', (question: GgufQuestion) => {
  answer(question).then(
    (found) => reply({ state: 'ended', found }),
    () => reply({ state: 'ended', found: undefined }),
  );
});

const reply = (given: GgufReply): void => parentPort?.postMessage(given);

async function answer(question: GgufQuestion): Promise<unknown> {
  if (question.about === 'template') {
    // Half a megabyte of known templates, loaded at the first use.
    const { convertGGUFTemplateToOllama } = await import('@huggingface/ollama-utils');
    reply({ state: 'begins' });
    const found = convertGGUFTemplateToOllama(question.template)?.ollama;
    return found === undefined ? undefined : ({ template: found.template, stop: found.params?.stop ?? [] } satisfies OllamaTemplate);
  }
  reply({ state: 'begins' });
  const { metadata, tensorInfos } = await ('path' in question
    ? gguf(question.path, { allowLocalFile: true })
    : gguf('http://not-asked/', { fetch: async (_, init) => answerFrom(question, new Headers(init?.headers).get('range') ?? '') }));
  const parameters = tensorInfos.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * Number(size), 1), 0);
  if (question.about === 'facts') return toGgufFacts(metadata, parameters);
  const nameOfType = (type: number): string | undefined => GGMLFileQuantizationType[type];
  return { header: toGgufHeader(metadata, { parameters, nameOfType }), template: chatTemplateOf(metadata) };
}

/** Reads a range of a file whose first bytes are known. A range beyond them is an error, and not read as zeros. */
function answerFrom({ bytes, size }: { readonly bytes: Uint8Array; readonly size: number }, range: string): Response {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const end = Math.min(Number(last) + 1, size);
  if (first === '' || end > bytes.length) throw new Error('it ends before its head does');
  return new Response(bytes.slice(Number(first), end), { headers: { 'Content-Range': `bytes ${first}-${end - 1}/${size}` } });
}
