import type { ReasonCode } from '../../../src/core/catalog/selection/reasons.ts';
import type { SelectionRequest } from '../../../src/core/catalog/selection/select-files.ts';

/** A repo with its name, its list of files, and the expected selection. */
export interface Listing {
  readonly name: string;
  readonly request: SelectionRequest;
  /** The selector of the expected quantization; undefined if there is none. */
  readonly chosen: string | undefined;
  readonly files: readonly { readonly path: string; readonly size: number; readonly isTaken: boolean; readonly why: ReasonCode }[];
}

/**
 * Files one per line, `+` selected and `-` skipped, with their size and the reason: `+ Foo-Q4_K_M.gguf 4G chosen-weights`. A word in braces
 * is repeated: `{A,B}`. Without a size a file has 1K.
 * @param modelId names the repo; text in brackets behind it distinguishes two tests of one repo
 */
function repo(modelId: string, chosen: string | undefined, files: string, request: SelectionRequest = {}): Listing {
  const rows = files
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '');
  return {
    name: modelId,
    request: { modelId: modelId.replace(/ .*/, ''), ...request },
    chosen,
    files: rows.flatMap((row) => {
      const [, mark, path = '', size = '1K', why = ''] = /^([+-]) (\S+)(?: (\d\S*))? (\S+)$/.exec(row) ?? [];
      if (mark === undefined) throw new Error(`${modelId}: this is no file with a reason: ${row}`);
      return spread(path).map((one) => ({ path: one, size: bytesOf(size), isTaken: mark === '+', why: why as ReasonCode }));
    }),
  };
}

function spread(text: string): readonly string[] {
  const [whole, words] = /\{([^}]*)\}/.exec(text) ?? [];
  if (whole === undefined || words === undefined) return [text];
  return words.split(',').flatMap((word) => spread(text.replace(whole, word)));
}

const bytesOf = (size: string): number => Number.parseFloat(size) * { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[size.at(-1) as 'K' | 'M' | 'G'];

/** Repos with the naming schemes that exist on the Hub, and with errors that were found in use. */
export const listings: readonly Listing[] = [
  repo(
    'bartowski/Llama-3.2-3B-Instruct-GGUF',
    'Q4_K_M',
    `+ .gitattributes small-file
     + README.md 12K small-file
     - Llama-3.2-3B-Instruct-{IQ3_M,IQ4_XS,Q3_K_L,Q3_K_XL,Q4_0,Q4_0_4_4,Q4_0_4_8,Q4_0_8_8,Q4_K_L,Q4_K_S}.gguf 2G other-quantization
     + Llama-3.2-3B-Instruct-Q4_K_M.gguf 2G chosen-weights
     - Llama-3.2-3B-Instruct-{Q5_K_L,Q5_K_M,Q5_K_S,Q6_K,Q6_K_L,Q8_0,f16}.gguf 3G other-quantization
     - Llama-3.2-3B-Instruct.imatrix 3M imatrix`,
  ),
  repo(
    'bartowski/google_gemma-3-27b-it-GGUF',
    'Q4_K_M',
    `- google_gemma-3-27b-it-{IQ2_XXS,IQ3_XS,IQ4_NL,IQ4_XS,Q2_K,Q2_K_L,Q4_1,Q8_0}.gguf 10G other-quantization
     + google_gemma-3-27b-it-Q4_K_M.gguf 16G chosen-weights
     - google_gemma-3-27b-it-bf16/google_gemma-3-27b-it-bf16-0000{1,2}-of-00002.gguf 27G other-quantization
     - google_gemma-3-27b-it-imatrix.gguf 12M imatrix
     - mmproj-google_gemma-3-27b-it-bf16.gguf 900M other-projector
     + mmproj-google_gemma-3-27b-it-f16.gguf 900M projector
     - mmproj-google_gemma-3-27b-it-f32.gguf 1.8G other-projector
     + README.md small-file`,
  ),
  repo(
    'bartowski/Qwen2.5-72B-Instruct-GGUF a sharded one by its label',
    'Q8_0',
    `- Qwen2.5-72B-Instruct-Q4_K_M.gguf 47G other-quantization
     + Qwen2.5-72B-Instruct-Q8_0/Qwen2.5-72B-Instruct-Q8_0-0000{1,2}-of-00002.gguf 38G chosen-weights
     - Qwen2.5-72B-Instruct-Q6_K/Qwen2.5-72B-Instruct-Q6_K-0000{1,2}-of-00002.gguf 32G other-quantization`,
    { selector: 'q8_0' },
  ),
  repo(
    'unsloth/Qwen3.5-9B-GGUF',
    'Q4_K_M',
    `- Qwen3.5-9B-BF16.gguf 18G other-quantization
     - Qwen3.5-9B-{IQ4_NL,IQ4_XS,Q3_K_M,Q3_K_S,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q6_K,Q8_0}.gguf 5G other-quantization
     + Qwen3.5-9B-Q4_K_M.gguf 5.6G chosen-weights
     - Qwen3.5-9B-UD-{IQ2_M,IQ2_XXS,IQ3_XXS,Q2_K_XL,Q3_K_XL,Q4_K_XL,Q5_K_XL,Q6_K_XL,Q8_K_XL}.gguf 6G other-quantization
     - imatrix_unsloth.gguf_file 5M imatrix
     - mmproj-{BF16,F32}.gguf 900M other-projector
     + mmproj-F16.gguf 900M projector
     + config.json small-file
     + README.md small-file`,
  ),
  repo(
    'unsloth/Qwen3.8-27B-GGUF',
    'Q4_K_M',
    `- BF16/Qwen3.8-27B-BF16-0000{1,2}-of-00002.gguf 27G other-quantization
     + Qwen3.8-27B-Q4_K_M.gguf 16G chosen-weights
     - Qwen3.8-27B-Q8_0.gguf 29G other-quantization
     - MTP/mtp-Qwen3.8-27B-Q4_0.gguf 1.3G draft
     - MTP/mtp-Qwen3.8-27B-Q4_K_M.gguf 1.4G draft
     + mmproj-F16.gguf 900M projector
     - imatrix_unsloth.gguf 10M imatrix
     + README.md small-file`,
  ),
  repo(
    'unsloth/Qwen3.6-35B-A3B-GGUF',
    'UD-Q4_K_M',
    `- Qwen3.6-35B-A3B-MXFP4_MOE.gguf 20G other-quantization
     - Qwen3.6-35B-A3B-UD-{IQ1_M,IQ2_M,Q2_K_XL,Q3_K_S,Q4_K_S,Q4_K_XL,Q5_K_M,Q6_K,Q8_K_XL}.gguf 20G other-quantization
     + Qwen3.6-35B-A3B-UD-Q4_K_M.gguf 21G chosen-weights
     - Qwen3.6-35B-A3B-Q8_0.gguf 36G other-quantization
     - mmproj-BF16.gguf 900M other-projector
     + mmproj-F16.gguf 900M projector`,
  ),
  repo(
    'unsloth/gpt-oss-20b-GGUF',
    'Q4_K_M',
    `- gpt-oss-20b-{F16,Q2_K,Q2_K_L,Q3_K_M,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q6_K,Q8_0,UD-Q4_K_XL,UD-Q8_K_XL}.gguf 11G other-quantization
     + gpt-oss-20b-Q4_K_M.gguf 11G chosen-weights
     + config.json small-file
     + params small-file
     + template small-file`,
  ),
  repo(
    'unsloth/DeepSeek-R1-GGUF dynamic quantizations in folders only',
    'UD-Q2_K_XL',
    `- DeepSeek-R1-UD-IQ1_M/DeepSeek-R1-UD-IQ1_M-0000{1,2,3,4}-of-00004.gguf 40G other-quantization
     - DeepSeek-R1-UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-0000{1,2,3}-of-00003.gguf 44G other-quantization
     + DeepSeek-R1-UD-Q2_K_XL/DeepSeek-R1-UD-Q2_K_XL-0000{1,2,3,4,5}-of-00005.gguf 43G chosen-weights
     - DeepSeek-R1-BF16/DeepSeek-R1.BF16-0000{1,2}-of-00002.gguf 47G other-quantization
     + config.json small-file`,
  ),
  repo(
    'unsloth/GLM-5.2-GGUF a first shard of metadata only',
    'UD-IQ1_S',
    `+ README.md 8K small-file
     - imatrix_unsloth.gguf_file 1G imatrix
     + UD-IQ1_S/GLM-5.2-UD-IQ1_S-00001-of-00003.gguf 9M chosen-weights
     + UD-IQ1_S/GLM-5.2-UD-IQ1_S-0000{2,3}-of-00003.gguf 46G chosen-weights
     - UD-IQ1_M/GLM-5.2-UD-IQ1_M-00001-of-00003.gguf 9M other-quantization
     - UD-IQ1_M/GLM-5.2-UD-IQ1_M-0000{2,3}-of-00003.gguf 48G other-quantization`,
    { selector: 'ud-iq1_s' },
  ),
  repo(
    'mradermacher/Meta-Llama-3.1-70B-Instruct-GGUF',
    'Q4_K_M',
    `- Meta-Llama-3.1-70B-Instruct.{IQ4_XS,Q2_K,Q3_K_L,Q3_K_M,Q3_K_S,Q4_K_S,Q5_K_M,Q5_K_S}.gguf 40G other-quantization
     + Meta-Llama-3.1-70B-Instruct.Q4_K_M.gguf 42G chosen-weights
     - Meta-Llama-3.1-70B-Instruct.Q6_K.gguf.part{1,2}of2 29G other-quantization
     - Meta-Llama-3.1-70B-Instruct.Q8_0.gguf.part{1,2}of2 37G other-quantization
     + README.md small-file`,
  ),
  repo(
    'mradermacher/Meta-Llama-3.1-70B-Instruct-GGUF pieces that were cut by bytes',
    'Q6_K',
    `- Meta-Llama-3.1-70B-Instruct.Q4_K_M.gguf 42G other-quantization
     + Meta-Llama-3.1-70B-Instruct.Q6_K.gguf.part{1,2}of2 29G chosen-weights
     - Meta-Llama-3.1-70B-Instruct.Q8_0.gguf.part{1,2}of2 37G other-quantization`,
    { selector: 'Q6_K' },
  ),
  repo(
    'mradermacher/Phi-4-reasoning-plus-i1-GGUF',
    'Q4_K_M',
    `- Phi-4-reasoning-plus.i1-{IQ1_M,IQ1_S,IQ2_M,IQ2_S,IQ2_XS,IQ2_XXS,IQ3_M,IQ3_S,IQ3_XS,IQ3_XXS,IQ4_NL,IQ4_XS,Q2_K,Q2_K_S,Q3_K_L}.gguf 5G other-quantization
     - Phi-4-reasoning-plus.i1-{Q3_K_M,Q3_K_S,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q5_K_S,Q6_K}.gguf 8G other-quantization
     + Phi-4-reasoning-plus.i1-Q4_K_M.gguf 9G chosen-weights
     - imatrix.dat 8M imatrix
     + README.md small-file`,
  ),
  repo(
    'mradermacher/Phi-4-reasoning-plus-i1-GGUF with its mark',
    'IQ4_XS',
    `- Phi-4-reasoning-plus.i1-Q4_K_M.gguf 9G other-quantization
     + Phi-4-reasoning-plus.i1-IQ4_XS.gguf 8G chosen-weights`,
    { selector: 'i1-IQ4_XS' },
  ),
  repo(
    'mradermacher/Huihui-gpt-oss-120b-BF16-abliterated-i1-GGUF the name of the model has a label',
    'IQ4_XS',
    `- Huihui-gpt-oss-120b-BF16-abliterated.i1-Q2_K.gguf 44G other-quantization
     + Huihui-gpt-oss-120b-BF16-abliterated.i1-IQ4_XS.gguf.part{1,2}of2 31G chosen-weights`,
    { selector: 'iq4_xs' },
  ),
  repo(
    'lmstudio-community/gemma-3-12b-it-GGUF',
    'Q4_K_M',
    `- gemma-3-12b-it-{Q3_K_L,Q6_K,Q8_0}.gguf 8G other-quantization
     + gemma-3-12b-it-Q4_K_M.gguf 7G chosen-weights
     + mmproj-model-f16.gguf 800M projector
     + README.md small-file`,
  ),
  repo(
    'lmstudio-community/gpt-oss-120b-GGUF',
    'MXFP4',
    `+ gpt-oss-120b-MXFP4-0000{1,2}-of-00002.gguf 30G chosen-weights
     + README.md small-file`,
  ),
  repo(
    'ggml-org/gpt-oss-20b-GGUF',
    'MXFP4',
    `+ gpt-oss-20b-mxfp4.gguf 12G chosen-weights
     + README.md small-file
     + .gitattributes small-file`,
  ),
  repo(
    'ggml-org/gemma-3-4b-it-GGUF',
    'Q4_K_M',
    `+ gemma-3-4b-it-Q4_K_M.gguf 2.5G chosen-weights
     - gemma-3-4b-it-Q8_0.gguf 4G other-quantization
     - gemma-3-4b-it-f16.gguf 8G other-quantization
     + mmproj-model-f16.gguf 850M projector`,
  ),
  repo(
    'ggml-org/Qwen2.5-VL-3B-Instruct-GGUF projectors of two types',
    'Q4_K_M',
    `+ Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf 2G chosen-weights
     - Qwen2.5-VL-3B-Instruct-{Q8_0,f16}.gguf 3G other-quantization
     - mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf 800M other-projector
     + mmproj-Qwen2.5-VL-3B-Instruct-f16.gguf 1.3G projector`,
  ),
  repo(
    'LiquidAI/LFM2-VL-3B-GGUF',
    'Q4_0',
    `- LFM2-VL-3B-{F16,Q8_0}.gguf 3G other-quantization
     + LFM2-VL-3B-Q4_0.gguf 1.5G chosen-weights
     - mmproj-LFM2-VL-3B-Q8_0.gguf 500M other-projector
     + mmproj-LFM2-VL-3B-F16.gguf 900M projector`,
  ),
  repo(
    'ggml-org/LoRA-Qwen2.5-14B-Instruct-abliterated-v2-F16-GGUF a repo of one adapter',
    'F16',
    `+ LoRA-Qwen2.5-14B-Instruct-abliterated-v2-f16.gguf 500M chosen-weights
     + README.md small-file`,
  ),
  repo('ggml-org/models a vocabulary alone', 'ggml-vocab-bert-bge.gguf', '+ ggml-vocab-bert-bge.gguf 612K chosen-weights'),
  repo(
    'TheBloke/Mistral-7B-Instruct-v0.2-GGUF',
    'Q4_K_M',
    `- mistral-7b-instruct-v0.2.{Q2_K,Q3_K_L,Q3_K_M,Q3_K_S,Q4_0,Q4_K_S,Q5_0,Q5_K_M,Q5_K_S,Q6_K,Q8_0}.gguf 4G other-quantization
     + mistral-7b-instruct-v0.2.Q4_K_M.gguf 4.4G chosen-weights
     + config.json small-file
     + README.md 20K small-file`,
  ),
  repo(
    'TheBloke/Falcon-180B-Chat-GGUF nothing but pieces',
    'Q4_K_M',
    `- falcon-180b-chat.Q2_K.gguf-split-{a,b} 37G other-quantization
     - falcon-180b-chat.Q3_K_L.gguf-split-{a,b} 46G other-quantization
     + falcon-180b-chat.Q4_K_M.gguf-split-{a,b,c} 36G chosen-weights
     - falcon-180b-chat.Q6_K.gguf-split-{a,b,c} 49G other-quantization
     + config.json small-file`,
  ),
  repo(
    'TheBloke/lemur-70b-chat-v1-GGUF',
    'Q8_0',
    `- lemur-70b-chat-v1.Q4_K_M.gguf 41G other-quantization
     - lemur-70b-chat-v1.Q6_K.gguf-split-{a,b} 28G other-quantization
     + lemur-70b-chat-v1.Q8_0.gguf-split-{a,b} 36G chosen-weights`,
    { selector: 'q8_0' },
  ),
  repo(
    'stevescot1979/DeepSeek-V3.2-MXFP4-GGUF chunks',
    'MXFP4',
    `+ DeepSeek-V3.2-MXFP4-chunk-{001,002,003}-of-003.gguf 45G chosen-weights
     + README.md small-file`,
  ),
  repo(
    'someone/Foo-GGUF letters behind a dot',
    'Q8_0',
    `- Foo-Q4_K_M.gguf 4G other-quantization
     + Foo-Q8_0.gguf.{a,b} 4G chosen-weights`,
    { selector: 'Q8_0' },
  ),
  repo(
    'someone/Foo-GGUF a whole file beside the pieces of the same',
    'Q8_0',
    `- Foo-Q8_0.gguf.part{1,2}of2 4G other-quantization
     + Foo-Q8_0.gguf 8G chosen-weights`,
  ),
  repo(
    'google/gemma-3-4b-it-qat-q4_0-gguf',
    'Q4_0',
    `+ gemma-3-4b-it-q4_0.gguf 3G chosen-weights
     + mmproj-model-f16-4B.gguf 850M projector
     + README.md small-file`,
  ),
  repo(
    'google/gemma-2b an export beside safetensors',
    undefined,
    `- gemma-2b.gguf 10G other-weights
     + model-0000{1,2}-of-00002.safetensors 2.5G weights
     + model.safetensors.index.json file-of-model
     + config.json file-of-model
     + tokenizer.json 17M file-of-model
     + tokenizer.model 4M file-of-model`,
  ),
  repo(
    'google-bert/bert-base-uncased',
    undefined,
    `+ model.safetensors 440M weights
     - pytorch_model.bin 440M duplicate
     - tf_model.h5 536M duplicate
     - flax_model.msgpack 438M duplicate
     - rust_model.ot 534M duplicate
     - model.onnx 532M duplicate
     - coreml/fill-mask/float32_model.mlpackage/Data/com.apple.CoreML/weights/weight.bin 532M duplicate
     + config.json file-of-model
     + vocab.txt 232K file-of-model
     + tokenizer.json 466K file-of-model`,
  ),
  repo(
    'openai-community/gpt2',
    undefined,
    `- 64-8bits.tflite 125M duplicate
     - 64.tflite 495M duplicate
     + model.safetensors 548M weights
     - onnx/decoder_model.onnx 650M duplicate
     - onnx/decoder_model_merged.onnx 655M duplicate
     - onnx/config.json duplicate
     - pytorch_model.bin 548M duplicate
     - rust_model.ot 700M duplicate
     - tf_model.h5 498M duplicate
     - flax_model.msgpack 498M duplicate
     + merges.txt file-of-model
     + vocab.json 1M file-of-model
     + generation_config.json file-of-model`,
  ),
  repo(
    'openai/gpt-oss-20b',
    undefined,
    `+ model-0000{0,1,2}-of-00002.safetensors 4.8G weights
     + model.safetensors.index.json file-of-model
     - original/model.safetensors 13.7G duplicate
     - original/{config.json,dtypes.json} duplicate
     - metal/model.bin 13.7G duplicate
     + chat_template.jinja file-of-model
     + tokenizer.json 27M file-of-model
     + config.json file-of-model`,
  ),
  repo(
    'openai/whisper-large-v3',
    undefined,
    `+ model.safetensors 3G weights
     - model.fp32-0000{1,2}-of-00002.bin 3G duplicate
     - pytorch_model.bin 3G duplicate
     - pytorch_model.fp32.bin.index.json duplicate
     - flax_model.msgpack 6G duplicate
     + preprocessor_config.json file-of-model
     + normalizer.json file-of-model`,
  ),
  repo(
    'openai/clip-vit-base-patch32 only one form',
    undefined,
    `+ pytorch_model.bin 600M weights
     - tf_model.h5 600M duplicate
     - flax_model.msgpack 600M duplicate
     + config.json file-of-model
     + vocab.json file-of-model`,
  ),
  repo(
    'meta-llama/Llama-3.1-8B-Instruct',
    undefined,
    `+ model-0000{1,2,3,4}-of-00004.safetensors 4.6G weights
     + model.safetensors.index.json file-of-model
     - original/consolidated.00.pth 16G duplicate
     - original/{params.json,tokenizer.model} duplicate
     + LICENSE file-of-model
     + USE_POLICY.md file-of-model
     + tokenizer.json 9M file-of-model`,
  ),
  repo(
    'mistralai/Mistral-7B-Instruct-v0.3',
    undefined,
    `- consolidated.safetensors 14.5G duplicate
     + model-0000{1,2,3}-of-00003.safetensors 4.8G weights
     + model.safetensors.index.json file-of-model
     + params.json file-of-model
     + tokenizer.model.v3 file-of-model
     + config.json file-of-model`,
  ),
  repo(
    'mistralai/Mistral-Small-3.2-24B-Instruct-2506 sharded and consolidated',
    undefined,
    `- consolidated-0000{1,2}-of-00002.safetensors 24G duplicate
     - consolidated.safetensors.index.json duplicate
     + model-000{01,02,10}-of-00010.safetensors 4.8G weights
     + model.safetensors.index.json file-of-model
     + tekken.json 19M file-of-model`,
  ),
  repo(
    'sharded, and the same weights in one file',
    undefined,
    `- model.safetensors 14.5G duplicate
     + model-0000{1,2,3,4}-of-00004.safetensors 3.625G weights
     + model.safetensors.index.json file-of-model
     + config.json file-of-model`,
  ),
  repo(
    'sharded, and other weights in one file',
    undefined,
    `+ model.safetensors 29G weights
     + model-0000{1,2,3,4}-of-00004.safetensors 3.625G weights
     + model.safetensors.index.json file-of-model`,
  ),
  repo(
    'one file, and shards of which one is missing',
    undefined,
    `+ model.safetensors 10.875G weights
     + model-0000{1,2,4}-of-00004.safetensors 3.625G weights
     + model.safetensors.index.json file-of-model`,
  ),
  repo(
    'one file, and shards without an index',
    undefined,
    `+ model.safetensors 7.25G weights
     + model-0000{1,2}-of-00002.safetensors 3.625G weights`,
  ),
  repo(
    'mistralai/Pixtral-12B-2409 consolidated alone',
    undefined,
    `+ consolidated.safetensors 25G weights
     + params.json file-of-model
     + tekken.json 14M file-of-model`,
  ),
  repo(
    'mistralai/Devstral-Small-2505_gguf',
    'Q4_K_M',
    `+ devstralQ4_K_M.gguf 14G chosen-weights
     - devstralQ8_0.gguf 25G other-quantization
     - devstralQ5_K_M.gguf 17G other-quantization
     + README.md small-file`,
  ),
  repo(
    'microsoft/Phi-3-mini-4k-instruct-gguf',
    'Q4',
    `+ Phi-3-mini-4k-instruct-q4.gguf 2.4G chosen-weights
     - Phi-3-mini-4k-instruct-fp16.gguf 7.6G other-quantization
     + Modelfile_q4 small-file
     + Modelfile_fp16 small-file
     + README.md small-file`,
  ),
  repo(
    'microsoft/phi-4-gguf',
    'Q4_K_S',
    `+ phi-4-Q4_K_S.gguf 8G chosen-weights
     - phi-4-{Q4_0,Q6_K,Q8_0,bf16}.gguf 9G other-quantization
     + README.md small-file`,
  ),
  repo(
    'microsoft/bitnet-b1.58-2B-4T-gguf',
    'I2_S',
    `+ ggml-model-i2_s.gguf 1.2G chosen-weights
     + README.md small-file`,
  ),
  repo(
    'microsoft/Phi-4-multimodal-instruct adapters beside the model',
    undefined,
    `+ model-0000{1,2,3}-of-00003.safetensors 4G weights
     + speech-lora/adapter_model.safetensors 900M weights
     + vision-lora/adapter_model.safetensors 900M weights
     + examples/what_is_shown.wav 200K file-of-model
     + figures/speech.png 300K file-of-model
     + config.json file-of-model`,
  ),
  repo(
    'sentence-transformers/all-MiniLM-L6-v2',
    undefined,
    `+ 1_Pooling/config.json file-of-model
     + model.safetensors 90M weights
     - pytorch_model.bin 90M duplicate
     - tf_model.h5 91M duplicate
     - rust_model.ot 90M duplicate
     - onnx/{model,model_O1,model_O4,model_qint8_arm64}.onnx 90M duplicate
     - openvino/openvino_model.{bin,xml} 90M duplicate
     + modules.json file-of-model
     + sentence_bert_config.json file-of-model
     + tokenizer.json 466K file-of-model
     + vocab.txt 232K file-of-model`,
  ),
  repo(
    'sentence-transformers/LaBSE a layer that is only there as .bin',
    undefined,
    `+ 2_Dense/pytorch_model.bin 2.4M weights
     + 2_Dense/config.json file-of-model
     + 3_Normalize/empty.json file-of-model
     + model.safetensors 1.9G weights
     - pytorch_model.bin 1.9G duplicate
     - flax_model.msgpack 1.9G duplicate`,
  ),
  repo(
    'mlx-community/Qwen3-30B-A3B-4bit',
    undefined,
    `+ model-0000{1,2,3,4}-of-00004.safetensors 4.5G weights
     + model.safetensors.index.json file-of-model
     + config.json file-of-model
     + tokenizer.json 11M file-of-model
     + merges.txt 1.6M file-of-model
     + README.md file-of-model`,
  ),
  repo(
    'mlx-community/Kokoro-82M-bf16',
    undefined,
    `+ kokoro-v1_0.safetensors 160M weights
     + voices/{af_bella,af_heart}.safetensors 500K weights
     - voices/{af_bella,af_heart}.pt 500K duplicate
     + samples/HEARME.wav 1M file-of-model
     + config.json file-of-model`,
  ),
  repo(
    'onnx-community/Qwen2.5-0.5B-Instruct ONNX alone',
    undefined,
    `+ onnx/{model,model_q4,model_fp16}.onnx 500M weights
     + onnx/model.onnx_data 2G weights
     + config.json file-of-model
     + tokenizer.json 11M file-of-model`,
  ),
  repo(
    'ggerganov/whisper.cpp the format before GGUF',
    undefined,
    `+ ggml-{base,base.en,large-v3,large-v3-q5_0}.bin 1G weights
     + README.md file-of-model`,
  ),
  repo(
    'someone/both GGUF and safetensors in one repo',
    undefined,
    `- model-Q4_K_M.gguf 4G other-weights
     - model-Q8_0.gguf 8G other-weights
     - mmproj-F16.gguf 900M other-weights
     + model.safetensors 16G weights
     + config.json file-of-model`,
  ),
  repo(
    'someone/both-GGUF the name says which',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G chosen-weights
     - model-Q8_0.gguf 8G other-quantization
     - model.safetensors 16G other-weights
     - model.safetensors.index.json other-weights
     - pytorch_model.bin 16G other-weights
     + config.json small-file
     - tokenizer.json 33M large-file`,
  ),
  repo(
    'someone/both a selector says which',
    'Q8_0',
    `- model-Q4_K_M.gguf 4G other-quantization
     + model-Q8_0.gguf 8G chosen-weights
     - model.safetensors 16G other-weights`,
    { selector: 'Q8_0' },
  ),
  repo(
    'someone/both the card says which',
    'Q8_0',
    `- model-Q4_K_M.gguf 4G other-quantization
     + model-Q8_0.gguf 8G chosen-weights
     - model.safetensors 16G other-weights`,
    { pin: 'model-Q8_0.gguf' },
  ),
  repo(
    'someone/both-GGUF asked for as safetensors',
    undefined,
    `- model-Q4_K_M.gguf 4G other-weights
     + model.safetensors 16G weights
     - mmproj-F16.gguf 900M other-weights
     + tokenizer.json 33M file-of-model`,
    { weights: 'safetensors' },
  ),
  repo(
    'someone/both asked for as GGUF',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G chosen-weights
     - model-Q8_0.gguf 8G other-quantization
     - model.safetensors 16G other-weights`,
    { weights: 'gguf' },
  ),
  repo(
    'someone/both all weights',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G chosen-weights
     - model-Q8_0.gguf 8G other-quantization
     + model.safetensors 16G weights
     - pytorch_model.bin 16G duplicate`,
    { weights: 'all' },
  ),
  repo(
    'someone/both everything',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G chosen-weights
     + model-Q8_0.gguf 8G whole
     + model.safetensors 16G whole
     + pytorch_model.bin 16G whole
     + imatrix.gguf 8M whole
     - .DS_Store litter
     - model-Q8_0.gguf.partial 1G litter`,
    { whole: true },
  ),
  repo(
    'someone/m-GGUF an importance matrix is no weights',
    'UD-Q4_K_XL',
    `- imatrix.gguf 8M imatrix
     + m-UD-Q4_K_XL.gguf 4G chosen-weights
     - m-BF16.gguf 16G other-quantization`,
  ),
  repo(
    'someone/m-GGUF sidecars that carry a label',
    'UD-Q4_K_M',
    `+ M-UD-Q4_K_M.gguf 16G chosen-weights
     - MTP/mtp-Q4_K_M.gguf 2G draft
     - imatrix-Q4_K_M.gguf 10M imatrix
     - draft-Q4_K_M.gguf 500M draft
     - M-Eagle3-Q4_K_M.gguf 500M draft
     - M-LoRA-Q4_K_M.gguf 500M adapter
     - M-vocab-Q4_K_M.gguf 500K vocabulary
     + MMPROJ-Q4_K_M.GGUF 900M projector`,
    { selector: 'ud-q4_k_m' },
  ),
  repo(
    'someone/m-GGUF fp16 is not quantized',
    'Q4',
    `- m-fp16.gguf 16G other-quantization
     + m-q4.gguf 4G chosen-weights`,
  ),
  ...['f16', 'F32', 'bf16', 'FP32', 'Fp16', 'float16', 'fp-16', 'FP_32', 'F-16', 'bf-16', 'BFloat16', 'float_32'].map((spelled) =>
    repo(
      `someone/m-GGUF ${spelled} ranks last`,
      'model-without-label.gguf',
      `- m-${spelled}.gguf 16G other-quantization\n+ model-without-label.gguf 8G chosen-weights`,
    ),
  ),
  repo(
    'someone/m-GGUF dynamic labels by their bits',
    'UD-Q4_K_XL',
    `- m-UD-IQ1_S.gguf 1G other-quantization
     - m-UD-Q3_K_XL.gguf 3G other-quantization
     + m-UD-Q4_K_XL.gguf 4G chosen-weights
     - m-UD-Q6_K_XL.gguf 6G other-quantization`,
  ),
  repo(
    'someone/m-GGUF other labels by their bits',
    'MXFP4',
    `- m-Q8_0.gguf 8G other-quantization
     - m-TQ1_0.gguf 1G other-quantization
     - m-Q4_1.gguf 5G other-quantization
     + m-MXFP4.gguf 4G chosen-weights
     - m-IQ4_XS.gguf 4G other-quantization`,
  ),
  repo(
    'someone/m-GGUF the label is in the folder',
    'Q8_0',
    `- Q4_K_M/model.gguf 4G other-quantization
     + Q8_0/model.gguf 8G chosen-weights`,
    { selector: 'q8_0' },
  ),
  repo(
    'someone/m-GGUF folders without a label',
    'B',
    `- A/model.gguf 4G other-quantization
     + B/model.gguf 8G chosen-weights`,
    { selector: 'b' },
  ),
  repo(
    'someone/m-GGUF the same label twice, by path',
    'b/x-Q4_0.gguf',
    `- a/x-Q4_0.gguf 4G other-quantization
     + b/x-Q4_0.gguf 4G chosen-weights`,
    { selector: 'b/x-Q4_0.gguf' },
  ),
  repo(
    'someone/m-GGUF a whole group beside one with a hole, of the same label',
    'Foo-Q5_K_M-00001-of-00002.gguf',
    `+ Foo-Q5_K_M-0000{1,2}-of-00002.gguf 2G chosen-weights
     - Foo-Q5_K_M-00001-of-00003.gguf 1G other-quantization`,
    { selector: 'Q5_K_M' },
  ),
  repo(
    'someone/m-GGUF any shard names its group',
    'Q5_K_M',
    `+ Foo-Q5_K_M-0000{1,2}-of-00002.gguf 2G chosen-weights
     - Foo-Q4_K_M.gguf 4G other-quantization`,
    { selector: 'Foo-Q5_K_M-00002-of-00002.gguf' },
  ),
  repo(
    'someone/m-GGUF a hole in what was not chosen',
    'Q4_K_M',
    `+ Foo-Q4_K_M.gguf 4G chosen-weights
     - Foo-Q8_0-0000{1,3}-of-00003.gguf 3G other-quantization`,
  ),
  repo(
    'someone/Eagle-7B-GGUF the word is the name of the model',
    'Q4_K_M',
    `+ RWKV-5-Eagle-7B-Q4_K_M.gguf 4G chosen-weights
     - RWKV-5-Eagle-7B-Q8_0.gguf 8G other-quantization`,
  ),
  repo(
    'someone/m-GGUF a draft model by its path',
    'draft-Q8_0.gguf',
    `- m-Q4_K_M.gguf 4G other-quantization
     + draft-Q8_0.gguf 500M chosen-weights`,
    { selector: 'draft-Q8_0.gguf' },
  ),
  repo(
    'someone/m-mmproj-GGUF nothing but projectors',
    undefined,
    `+ mmproj-F16.gguf 900M file-of-model
     + mmproj-BF16.gguf 900M file-of-model
     + README.md file-of-model`,
  ),
  repo(
    'someone/two-GGUF a projector for each model',
    'big-Q4_K_M.gguf',
    `+ big-Q4_K_M.gguf 8G chosen-weights
     - small-Q4_K_M.gguf 2G other-quantization
     - mmproj-small-F16.gguf 900M other-projector
     + mmproj-big-BF16.gguf 900M projector`,
    { selector: 'big-Q4_K_M.gguf' },
  ),
  repo(
    'someone/m-GGUF one projector by name',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G chosen-weights
     - mmproj-F16.gguf 900M other-projector
     + sub/mmproj-BF16.gguf 900M projector`,
    { mmproj: 'mmproj-BF16.gguf' },
  ),
  repo(
    'someone/m-GGUF all projectors',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G chosen-weights
     + mmproj-{F16,BF16,F32}.gguf 900M projector`,
    { mmproj: 'all' },
  ),
  repo(
    'someone/m-GGUF the size of small files',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G chosen-weights
     + tokenizer.json 9.9M small-file
     - demo.mp4 10M large-file
     + assets/logo.png 40K small-file
     - training_args.bin 5K other-weights
     - adapter.safetensors 1M other-weights`,
  ),
  repo(
    'someone/m patterns take what they match',
    undefined,
    `- model.safetensors 8G not-included
     + pytorch_model.bin 8G included
     + sub/other.bin 1M included
     - config.json not-included`,
    { include: ['*.bin'] },
  ),
  repo(
    'someone/m-GGUF a pattern takes a quantization',
    'Q8_0',
    `- m-Q4_K_M.gguf 4G not-included
     + m-Q8_0-0000{1,2}-of-00002.gguf 4G included
     - config.json not-included`,
    { include: ['*Q8_0*'] },
  ),
  repo(
    'someone/m-GGUF patterns beside a selector',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 4G chosen-weights
     - m-Q8_0.gguf 8G not-included
     + video.mp4 20M included
     - config.json not-included`,
    { selector: 'Q4_K_M', include: ['*.mp4'] },
  ),
  repo(
    'someone/m-GGUF patterns leave out, and the next best is taken',
    'Q5_K_M',
    `- m-Q4_K_M.gguf 4G excluded
     + m-Q5_K_M.gguf 5G chosen-weights
     - assets/a.png excluded
     - assets/deep/b.png excluded
     + config.json small-file`,
    { exclude: ['*Q4_K*', 'assets/'] },
  ),
  repo(
    'someone/m-GGUF importance matrices in other spellings, before full weights',
    'BF16',
    `- imat.gguf 8M imatrix
     - foo-imat.gguf 8M imatrix
     - m.i-matrix.GGUF 8M imatrix
     - Importance_Matrix.gguf 8M imatrix
     - imat.dat 8M imatrix
     + m-BF16.gguf 16G chosen-weights`,
  ),
  repo(
    'someone/m-GGUF weights that were made with a matrix, and say so',
    'IQ3_M',
    `- m-imat.gguf 8M imatrix
     + m-IQ3_M-imat.gguf 4G chosen-weights
     - m-F16.gguf 16G other-quantization`,
  ),
  repo(
    'someone/m-GGUF drafts, heads and vectors in other spellings, before full weights',
    'F16',
    `- m-NextN-Q4_K_M.gguf 1G draft
     - m-multi_token_prediction.gguf 1G draft
     - Medusa-m.gguf 1G draft
     - m-DFlash.gguf 1G draft
     - m-Speculator-Q8_0.gguf 1G draft
     - m-draft-model.gguf 1G draft
     - EAGLE3/m.gguf 1G draft
     - loras/style.gguf 100M adapter
     - happy-control-vector.gguf 1M adapter
     - m-adapter-Q8_0.gguf 100M adapter
     - tokenizer.gguf 5M vocabulary
     - m-Vocab.gguf 5M vocabulary
     + m-F16.gguf 16G chosen-weights`,
  ),
  repo(
    'someone/m-GGUF projectors in other spellings',
    'F16',
    `+ m-F16.gguf 16G chosen-weights
     - m-MM-Proj-BF16.gguf 900M other-projector
     - multimodal_projector-f32.gguf 900M other-projector
     + m_projector.fp16.gguf 900M projector`,
  ),
  repo(
    'someone/m-GGUF a projector that has the name of the weights, and a better one without a name',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 4G chosen-weights
     - mmproj-m-BF16.gguf 900M other-projector
     + mmproj-F16.gguf 900M projector`,
  ),
  repo(
    'someone/m-GGUF a projector by its path, alone',
    'mmproj-F32.gguf',
    `- m-Q4_K_M.gguf 4G other-quantization
     - mmproj-F16.gguf 900M other-projector
     + mmproj-F32.gguf 900M chosen-weights`,
    { selector: 'mmproj-F32.gguf' },
  ),
  repo(
    'someone/m-GGUF labels with other signs between their parts',
    'Q4_K_M',
    `- m-iq1-s.gguf 1G other-quantization
     - m-q8-0.gguf 8G other-quantization
     + m-q4-k-m.gguf 4G chosen-weights
     - m.ud.q3.k.xl.gguf 3G other-quantization`,
  ),
  repo(
    'someone/m-GGUF a dynamic label with other signs',
    'UD-Q4_K_XL',
    `+ m.ud_q4_k_xl.gguf 4G chosen-weights
     - m-UD-IQ1_M.gguf 1G other-quantization
     - m-float16.gguf 16G other-quantization`,
  ),
  repo(
    'someone/m-GGUF sums and signatures beside weights are small files',
    'Q8_0',
    `+ m-Q8_0.gguf 8G chosen-weights
     + m-Q8_0.gguf.{sha256,md5,asc,json,sig} small-file`,
  ),
  repo(
    'someone/both the patterns leave out all safetensors',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 4G chosen-weights
     - model.safetensors 16G excluded
     + config.json small-file`,
    { exclude: ['*.safetensors'] },
  ),
  repo(
    'someone/both-GGUF the patterns leave out all GGUF',
    undefined,
    `- m-Q4_K_M.gguf 4G excluded
     + model.safetensors 16G weights
     + config.json file-of-model`,
    { exclude: ['*.gguf'] },
  ),
  repo(
    'someone/two-sizes the original beside each model',
    undefined,
    `+ 7b/model.safetensors 14G weights
     - 7b/original/consolidated.00.pth 14G duplicate
     - 7b/original/params.json duplicate
     + 70b/model-0000{1,2}-of-00002.safetensors 70G weights
     - 70b/Original/model.bin 140G duplicate`,
  ),
  repo('someone/empty', undefined, ''),
];
