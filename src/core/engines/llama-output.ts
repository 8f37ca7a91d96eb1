import type { EngineFailure, EngineNews } from './contract.ts';

/*
 * What llama-quantize prints while it works. Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/quantize and src/llama-quant.cpp
 */

const mebibyte = 1024 * 1024;

/** `[  12/  38] blk.1.attn_k.weight - [ 512, 256, 1, 1], type = f32, converting to q4_K .. size = 0.50 MiB -> 0.07 MiB` */
const tensor = /^\[\s*(\d+)\/\s*(\d+)\]\s+(\S+)\s+-\s+\[.*?size =\s+([\d.]+) MiB/;

/** The news in a line of its output; undefined for a line without any. */
export function readLlamaLine(line: string): EngineNews | undefined {
  const [, number, count, name, size] = tensor.exec(line) ?? [];
  if (size !== undefined)
    return { is: 'bytes', bytes: Math.round(Number(size) * mebibyte), message: `tensor ${number} of ${count}: ${name?.slice(0, 100)}` };
  const bits = /quant size\s+=\s+[\d.]+ MiB \(([\d.]+) BPW\)/.exec(line)?.[1];
  if (bits !== undefined) return { is: 'bits', bits: Number(bits) };
  const warning = /\bWARNING: (.{1,300})/.exec(line)?.[1];
  return warning === undefined ? undefined : { is: 'warning', message: `llama-quantize: ${warning}` };
}

/** Why it failed, from its output and its exit status. */
export function explainLlama(lines: readonly string[], status: number): EngineFailure {
  const text = lines.join('\n');
  const quantized = /requantizing from type (\w+) is disabled/.exec(text)?.[1];
  if (quantized !== undefined)
    return { code: 'CONFLICT', reason: `the weights are already quantized (${quantized})`, hint: '--allow-requantize allows this' };
  if (/requires an imatrix/.test(text))
    return { code: 'BAD_REQUEST', reason: 'this type needs an importance matrix', hint: 'choose another type, e.g. Q4_K_M' };
  if (/imatrix size \d+ is different from tensor size|Missing importance matrix/.test(text))
    return {
      code: 'CONFLICT',
      reason: 'the importance matrix of the model does not fit its weights',
      hint: 'add the model again without its imatrix file, or choose --type Q8_0',
    };
  const unreadable =
    /(?:failed to (?:load model|quantize|open GGUF)|gguf_init_from\w*: |not within the file bounds|corrupted or incomplete).*/.exec(text);
  if (unreadable !== null)
    return {
      code: 'INTEGRITY',
      reason: `it cannot read the weights: ${unreadable[0].slice(0, 200)}`,
      hint: 'run `skulk verify` on the source model',
    };
  return {
    code: 'ENGINE_FAILED',
    reason: `it exited with status ${status}: ${lines.at(-1)?.slice(0, 200) ?? 'no output'}`,
    hint: 'run the program yourself on the store host for details',
  };
}
