import type { SelectionRequest } from '../../../src/core/catalog/selection/select-files.ts';

/** A repo as it is named and listed, and what is right for it. */
export interface Listing {
  readonly name: string;
  readonly request: SelectionRequest;
  /** What names the quantization that is chosen; undefined where none is. */
  readonly chosen: string | undefined;
  readonly files: readonly { readonly path: string; readonly size: number; readonly isTaken: boolean }[];
}

/**
 * Files one a line, `+` taken and `-` left: `+ Foo-Q4_K_M.gguf 4G`. A word in braces is repeated: `{A,B}`. Without a size a file has 1K.
 * @param modelId names the repo; what stands behind it in brackets tells two of it apart
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
      const [mark, path = '', size = '1K'] = row.split(' ');
      return spread(path).map((one) => ({ path: one, size: bytesOf(size), isTaken: mark === '+' }));
    }),
  };
}

function spread(text: string): readonly string[] {
  const [whole, words] = /\{([^}]*)\}/.exec(text) ?? [];
  if (whole === undefined || words === undefined) return [text];
  return words.split(',').flatMap((word) => spread(text.replace(whole, word)));
}

const bytesOf = (size: string): number => Number.parseFloat(size) * { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[size.at(-1) as 'K' | 'M' | 'G'];

/** Repos in the ways of naming that are found on the Hub, and the faults that were found in use. */
export const listings: readonly Listing[] = [
  repo(
    'bartowski/Llama-3.2-3B-Instruct-GGUF',
    'Q4_K_M',
    `+ .gitattributes
     + README.md 12K
     - Llama-3.2-3B-Instruct-{IQ3_M,IQ4_XS,Q3_K_L,Q3_K_XL,Q4_0,Q4_0_4_4,Q4_0_4_8,Q4_0_8_8,Q4_K_L,Q4_K_S}.gguf 2G
     + Llama-3.2-3B-Instruct-Q4_K_M.gguf 2G
     - Llama-3.2-3B-Instruct-{Q5_K_L,Q5_K_M,Q5_K_S,Q6_K,Q6_K_L,Q8_0,f16}.gguf 3G
     - Llama-3.2-3B-Instruct.imatrix 3M`,
  ),
  repo(
    'bartowski/google_gemma-3-27b-it-GGUF',
    'Q4_K_M',
    `- google_gemma-3-27b-it-{IQ2_XXS,IQ3_XS,IQ4_NL,IQ4_XS,Q2_K,Q2_K_L,Q4_1,Q8_0}.gguf 10G
     + google_gemma-3-27b-it-Q4_K_M.gguf 16G
     - google_gemma-3-27b-it-bf16/google_gemma-3-27b-it-bf16-0000{1,2}-of-00002.gguf 27G
     - google_gemma-3-27b-it-imatrix.gguf 12M
     - mmproj-google_gemma-3-27b-it-bf16.gguf 900M
     + mmproj-google_gemma-3-27b-it-f16.gguf 900M
     - mmproj-google_gemma-3-27b-it-f32.gguf 1.8G
     + README.md`,
  ),
  repo(
    'bartowski/Qwen2.5-72B-Instruct-GGUF a sharded one by its label',
    'Q8_0',
    `- Qwen2.5-72B-Instruct-Q4_K_M.gguf 47G
     + Qwen2.5-72B-Instruct-Q8_0/Qwen2.5-72B-Instruct-Q8_0-0000{1,2}-of-00002.gguf 38G
     - Qwen2.5-72B-Instruct-Q6_K/Qwen2.5-72B-Instruct-Q6_K-0000{1,2}-of-00002.gguf 32G`,
    { selector: 'q8_0' },
  ),
  repo(
    'unsloth/Qwen3.5-9B-GGUF',
    'Q4_K_M',
    `- Qwen3.5-9B-BF16.gguf 18G
     - Qwen3.5-9B-{IQ4_NL,IQ4_XS,Q3_K_M,Q3_K_S,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q6_K,Q8_0}.gguf 5G
     + Qwen3.5-9B-Q4_K_M.gguf 5.6G
     - Qwen3.5-9B-UD-{IQ2_M,IQ2_XXS,IQ3_XXS,Q2_K_XL,Q3_K_XL,Q4_K_XL,Q5_K_XL,Q6_K_XL,Q8_K_XL}.gguf 6G
     - imatrix_unsloth.gguf_file 5M
     - mmproj-{BF16,F32}.gguf 900M
     + mmproj-F16.gguf 900M
     + config.json
     + README.md`,
  ),
  repo(
    'unsloth/Qwen3.8-27B-GGUF',
    'Q4_K_M',
    `- BF16/Qwen3.8-27B-BF16-0000{1,2}-of-00002.gguf 27G
     + Qwen3.8-27B-Q4_K_M.gguf 16G
     - Qwen3.8-27B-Q8_0.gguf 29G
     - MTP/mtp-Qwen3.8-27B-Q4_0.gguf 1.3G
     - MTP/mtp-Qwen3.8-27B-Q4_K_M.gguf 1.4G
     + mmproj-F16.gguf 900M
     - imatrix_unsloth.gguf 10M
     + README.md`,
  ),
  repo(
    'unsloth/Qwen3.6-35B-A3B-GGUF',
    'UD-Q4_K_M',
    `- Qwen3.6-35B-A3B-MXFP4_MOE.gguf 20G
     - Qwen3.6-35B-A3B-UD-{IQ1_M,IQ2_M,Q2_K_XL,Q3_K_S,Q4_K_S,Q4_K_XL,Q5_K_M,Q6_K,Q8_K_XL}.gguf 20G
     + Qwen3.6-35B-A3B-UD-Q4_K_M.gguf 21G
     - Qwen3.6-35B-A3B-Q8_0.gguf 36G
     - mmproj-BF16.gguf 900M
     + mmproj-F16.gguf 900M`,
  ),
  repo(
    'unsloth/gpt-oss-20b-GGUF',
    'Q4_K_M',
    `- gpt-oss-20b-{F16,Q2_K,Q2_K_L,Q3_K_M,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q6_K,Q8_0,UD-Q4_K_XL,UD-Q8_K_XL}.gguf 11G
     + gpt-oss-20b-Q4_K_M.gguf 11G
     + config.json
     + params
     + template`,
  ),
  repo(
    'unsloth/DeepSeek-R1-GGUF dynamic quantizations in folders only',
    'UD-Q2_K_XL',
    `- DeepSeek-R1-UD-IQ1_M/DeepSeek-R1-UD-IQ1_M-0000{1,2,3,4}-of-00004.gguf 40G
     - DeepSeek-R1-UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-0000{1,2,3}-of-00003.gguf 44G
     + DeepSeek-R1-UD-Q2_K_XL/DeepSeek-R1-UD-Q2_K_XL-0000{1,2,3,4,5}-of-00005.gguf 43G
     - DeepSeek-R1-BF16/DeepSeek-R1.BF16-0000{1,2}-of-00002.gguf 47G
     + config.json`,
  ),
  repo(
    'unsloth/GLM-5.2-GGUF a first shard of metadata only',
    'UD-IQ1_S',
    `+ README.md 8K
     - imatrix_unsloth.gguf_file 1G
     + UD-IQ1_S/GLM-5.2-UD-IQ1_S-00001-of-00003.gguf 9M
     + UD-IQ1_S/GLM-5.2-UD-IQ1_S-0000{2,3}-of-00003.gguf 46G
     - UD-IQ1_M/GLM-5.2-UD-IQ1_M-00001-of-00003.gguf 9M
     - UD-IQ1_M/GLM-5.2-UD-IQ1_M-0000{2,3}-of-00003.gguf 48G`,
    { selector: 'ud-iq1_s' },
  ),
  repo(
    'mradermacher/Meta-Llama-3.1-70B-Instruct-GGUF',
    'Q4_K_M',
    `- Meta-Llama-3.1-70B-Instruct.{IQ4_XS,Q2_K,Q3_K_L,Q3_K_M,Q3_K_S,Q4_K_S,Q5_K_M,Q5_K_S}.gguf 40G
     + Meta-Llama-3.1-70B-Instruct.Q4_K_M.gguf 42G
     - Meta-Llama-3.1-70B-Instruct.Q6_K.gguf.part{1,2}of2 29G
     - Meta-Llama-3.1-70B-Instruct.Q8_0.gguf.part{1,2}of2 37G
     + README.md`,
  ),
  repo(
    'mradermacher/Meta-Llama-3.1-70B-Instruct-GGUF pieces that were cut by bytes',
    'Q6_K',
    `- Meta-Llama-3.1-70B-Instruct.Q4_K_M.gguf 42G
     + Meta-Llama-3.1-70B-Instruct.Q6_K.gguf.part{1,2}of2 29G
     - Meta-Llama-3.1-70B-Instruct.Q8_0.gguf.part{1,2}of2 37G`,
    { selector: 'Q6_K' },
  ),
  repo(
    'mradermacher/Phi-4-reasoning-plus-i1-GGUF',
    'Q4_K_M',
    `- Phi-4-reasoning-plus.i1-{IQ1_M,IQ1_S,IQ2_M,IQ2_S,IQ2_XS,IQ2_XXS,IQ3_M,IQ3_S,IQ3_XS,IQ3_XXS,IQ4_NL,IQ4_XS,Q2_K,Q2_K_S,Q3_K_L}.gguf 5G
     - Phi-4-reasoning-plus.i1-{Q3_K_M,Q3_K_S,Q4_0,Q4_1,Q4_K_S,Q5_K_M,Q5_K_S,Q6_K}.gguf 8G
     + Phi-4-reasoning-plus.i1-Q4_K_M.gguf 9G
     - imatrix.dat 8M
     + README.md`,
  ),
  repo(
    'mradermacher/Phi-4-reasoning-plus-i1-GGUF with its mark',
    'IQ4_XS',
    `- Phi-4-reasoning-plus.i1-Q4_K_M.gguf 9G
     + Phi-4-reasoning-plus.i1-IQ4_XS.gguf 8G`,
    { selector: 'i1-IQ4_XS' },
  ),
  repo(
    'mradermacher/Huihui-gpt-oss-120b-BF16-abliterated-i1-GGUF the name of the model has a label',
    'IQ4_XS',
    `- Huihui-gpt-oss-120b-BF16-abliterated.i1-Q2_K.gguf 44G
     + Huihui-gpt-oss-120b-BF16-abliterated.i1-IQ4_XS.gguf.part{1,2}of2 31G`,
    { selector: 'iq4_xs' },
  ),
  repo(
    'lmstudio-community/gemma-3-12b-it-GGUF',
    'Q4_K_M',
    `- gemma-3-12b-it-{Q3_K_L,Q6_K,Q8_0}.gguf 8G
     + gemma-3-12b-it-Q4_K_M.gguf 7G
     + mmproj-model-f16.gguf 800M
     + README.md`,
  ),
  repo(
    'lmstudio-community/gpt-oss-120b-GGUF',
    'MXFP4',
    `+ gpt-oss-120b-MXFP4-0000{1,2}-of-00002.gguf 30G
     + README.md`,
  ),
  repo(
    'ggml-org/gpt-oss-20b-GGUF',
    'MXFP4',
    `+ gpt-oss-20b-mxfp4.gguf 12G
     + README.md
     + .gitattributes`,
  ),
  repo(
    'ggml-org/gemma-3-4b-it-GGUF',
    'Q4_K_M',
    `+ gemma-3-4b-it-Q4_K_M.gguf 2.5G
     - gemma-3-4b-it-Q8_0.gguf 4G
     - gemma-3-4b-it-f16.gguf 8G
     + mmproj-model-f16.gguf 850M`,
  ),
  repo(
    'ggml-org/Qwen2.5-VL-3B-Instruct-GGUF projectors of two types',
    'Q4_K_M',
    `+ Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf 2G
     - Qwen2.5-VL-3B-Instruct-{Q8_0,f16}.gguf 3G
     - mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf 800M
     + mmproj-Qwen2.5-VL-3B-Instruct-f16.gguf 1.3G`,
  ),
  repo(
    'LiquidAI/LFM2-VL-3B-GGUF',
    'Q4_0',
    `- LFM2-VL-3B-{F16,Q8_0}.gguf 3G
     + LFM2-VL-3B-Q4_0.gguf 1.5G
     - mmproj-LFM2-VL-3B-Q8_0.gguf 500M
     + mmproj-LFM2-VL-3B-F16.gguf 900M`,
  ),
  repo(
    'ggml-org/LoRA-Qwen2.5-14B-Instruct-abliterated-v2-F16-GGUF a repo of one adapter',
    'F16',
    `+ LoRA-Qwen2.5-14B-Instruct-abliterated-v2-f16.gguf 500M
     + README.md`,
  ),
  repo('ggml-org/models a vocabulary alone', 'ggml-vocab-bert-bge.gguf', '+ ggml-vocab-bert-bge.gguf 612K'),
  repo(
    'TheBloke/Mistral-7B-Instruct-v0.2-GGUF',
    'Q4_K_M',
    `- mistral-7b-instruct-v0.2.{Q2_K,Q3_K_L,Q3_K_M,Q3_K_S,Q4_0,Q4_K_S,Q5_0,Q5_K_M,Q5_K_S,Q6_K,Q8_0}.gguf 4G
     + mistral-7b-instruct-v0.2.Q4_K_M.gguf 4.4G
     + config.json
     + README.md 20K`,
  ),
  repo(
    'TheBloke/Falcon-180B-Chat-GGUF nothing but pieces',
    'Q4_K_M',
    `- falcon-180b-chat.Q2_K.gguf-split-{a,b} 37G
     - falcon-180b-chat.Q3_K_L.gguf-split-{a,b} 46G
     + falcon-180b-chat.Q4_K_M.gguf-split-{a,b,c} 36G
     - falcon-180b-chat.Q6_K.gguf-split-{a,b,c} 49G
     + config.json`,
  ),
  repo(
    'TheBloke/lemur-70b-chat-v1-GGUF',
    'Q8_0',
    `- lemur-70b-chat-v1.Q4_K_M.gguf 41G
     - lemur-70b-chat-v1.Q6_K.gguf-split-{a,b} 28G
     + lemur-70b-chat-v1.Q8_0.gguf-split-{a,b} 36G`,
    { selector: 'q8_0' },
  ),
  repo(
    'stevescot1979/DeepSeek-V3.2-MXFP4-GGUF chunks',
    'MXFP4',
    `+ DeepSeek-V3.2-MXFP4-chunk-{001,002,003}-of-003.gguf 45G
     + README.md`,
  ),
  repo(
    'someone/Foo-GGUF letters behind a dot',
    'Q8_0',
    `- Foo-Q4_K_M.gguf 4G
     + Foo-Q8_0.gguf.{a,b} 4G`,
    { selector: 'Q8_0' },
  ),
  repo(
    'someone/Foo-GGUF a whole file beside the pieces of the same',
    'Q8_0',
    `- Foo-Q8_0.gguf.part{1,2}of2 4G
     + Foo-Q8_0.gguf 8G`,
  ),
  repo(
    'google/gemma-3-4b-it-qat-q4_0-gguf',
    'Q4_0',
    `+ gemma-3-4b-it-q4_0.gguf 3G
     + mmproj-model-f16-4B.gguf 850M
     + README.md`,
  ),
  repo(
    'google/gemma-2b an export beside safetensors',
    undefined,
    `- gemma-2b.gguf 10G
     + model-0000{1,2}-of-00002.safetensors 2.5G
     + model.safetensors.index.json
     + config.json
     + tokenizer.json 17M
     + tokenizer.model 4M`,
  ),
  repo(
    'google-bert/bert-base-uncased',
    undefined,
    `+ model.safetensors 440M
     - pytorch_model.bin 440M
     - tf_model.h5 536M
     - flax_model.msgpack 438M
     - rust_model.ot 534M
     - model.onnx 532M
     - coreml/fill-mask/float32_model.mlpackage/Data/com.apple.CoreML/weights/weight.bin 532M
     + config.json
     + vocab.txt 232K
     + tokenizer.json 466K`,
  ),
  repo(
    'openai-community/gpt2',
    undefined,
    `- 64-8bits.tflite 125M
     - 64.tflite 495M
     + model.safetensors 548M
     - onnx/decoder_model.onnx 650M
     - onnx/decoder_model_merged.onnx 655M
     - onnx/config.json
     - pytorch_model.bin 548M
     - rust_model.ot 700M
     - tf_model.h5 498M
     - flax_model.msgpack 498M
     + merges.txt
     + vocab.json 1M
     + generation_config.json`,
  ),
  repo(
    'openai/gpt-oss-20b',
    undefined,
    `+ model-0000{0,1,2}-of-00002.safetensors 4.8G
     + model.safetensors.index.json
     - original/model.safetensors 13.7G
     - original/{config.json,dtypes.json}
     - metal/model.bin 13.7G
     + chat_template.jinja
     + tokenizer.json 27M
     + config.json`,
  ),
  repo(
    'openai/whisper-large-v3',
    undefined,
    `+ model.safetensors 3G
     - model.fp32-0000{1,2}-of-00002.bin 3G
     - pytorch_model.bin 3G
     - pytorch_model.fp32.bin.index.json
     - flax_model.msgpack 6G
     + preprocessor_config.json
     + normalizer.json`,
  ),
  repo(
    'openai/clip-vit-base-patch32 only one form',
    undefined,
    `+ pytorch_model.bin 600M
     - tf_model.h5 600M
     - flax_model.msgpack 600M
     + config.json
     + vocab.json`,
  ),
  repo(
    'meta-llama/Llama-3.1-8B-Instruct',
    undefined,
    `+ model-0000{1,2,3,4}-of-00004.safetensors 4.6G
     + model.safetensors.index.json
     - original/consolidated.00.pth 16G
     - original/{params.json,tokenizer.model}
     + LICENSE
     + USE_POLICY.md
     + tokenizer.json 9M`,
  ),
  repo(
    'mistralai/Mistral-7B-Instruct-v0.3',
    undefined,
    `- consolidated.safetensors 14.5G
     + model-0000{1,2,3}-of-00003.safetensors 4.8G
     + model.safetensors.index.json
     + params.json
     + tokenizer.model.v3
     + config.json`,
  ),
  repo(
    'mistralai/Mistral-Small-3.2-24B-Instruct-2506 sharded and consolidated',
    undefined,
    `- consolidated-0000{1,2}-of-00002.safetensors 24G
     - consolidated.safetensors.index.json
     + model-000{01,02,10}-of-00010.safetensors 4.8G
     + model.safetensors.index.json
     + tekken.json 19M`,
  ),
  repo(
    'mistralai/Pixtral-12B-2409 consolidated alone',
    undefined,
    `+ consolidated.safetensors 25G
     + params.json
     + tekken.json 14M`,
  ),
  repo(
    'mistralai/Devstral-Small-2505_gguf',
    'Q4_K_M',
    `+ devstralQ4_K_M.gguf 14G
     - devstralQ8_0.gguf 25G
     - devstralQ5_K_M.gguf 17G
     + README.md`,
  ),
  repo(
    'microsoft/Phi-3-mini-4k-instruct-gguf',
    'Q4',
    `+ Phi-3-mini-4k-instruct-q4.gguf 2.4G
     - Phi-3-mini-4k-instruct-fp16.gguf 7.6G
     + Modelfile_q4
     + Modelfile_fp16
     + README.md`,
  ),
  repo(
    'microsoft/phi-4-gguf',
    'Q4_K_S',
    `+ phi-4-Q4_K_S.gguf 8G
     - phi-4-{Q4_0,Q6_K,Q8_0,bf16}.gguf 9G
     + README.md`,
  ),
  repo(
    'microsoft/bitnet-b1.58-2B-4T-gguf',
    'I2_S',
    `+ ggml-model-i2_s.gguf 1.2G
     + README.md`,
  ),
  repo(
    'microsoft/Phi-4-multimodal-instruct adapters beside the model',
    undefined,
    `+ model-0000{1,2,3}-of-00003.safetensors 4G
     + speech-lora/adapter_model.safetensors 900M
     + vision-lora/adapter_model.safetensors 900M
     + examples/what_is_shown.wav 200K
     + figures/speech.png 300K
     + config.json`,
  ),
  repo(
    'sentence-transformers/all-MiniLM-L6-v2',
    undefined,
    `+ 1_Pooling/config.json
     + model.safetensors 90M
     - pytorch_model.bin 90M
     - tf_model.h5 91M
     - rust_model.ot 90M
     - onnx/{model,model_O1,model_O4,model_qint8_arm64}.onnx 90M
     - openvino/openvino_model.{bin,xml} 90M
     + modules.json
     + sentence_bert_config.json
     + tokenizer.json 466K
     + vocab.txt 232K`,
  ),
  repo(
    'sentence-transformers/LaBSE a layer that is only there as .bin',
    undefined,
    `+ 2_Dense/pytorch_model.bin 2.4M
     + 2_Dense/config.json
     + 3_Normalize/empty.json
     + model.safetensors 1.9G
     - pytorch_model.bin 1.9G
     - flax_model.msgpack 1.9G`,
  ),
  repo(
    'mlx-community/Qwen3-30B-A3B-4bit',
    undefined,
    `+ model-0000{1,2,3,4}-of-00004.safetensors 4.5G
     + model.safetensors.index.json
     + config.json
     + tokenizer.json 11M
     + merges.txt 1.6M
     + README.md`,
  ),
  repo(
    'mlx-community/Kokoro-82M-bf16',
    undefined,
    `+ kokoro-v1_0.safetensors 160M
     + voices/{af_bella,af_heart}.safetensors 500K
     - voices/{af_bella,af_heart}.pt 500K
     + samples/HEARME.wav 1M
     + config.json`,
  ),
  repo(
    'onnx-community/Qwen2.5-0.5B-Instruct ONNX alone',
    undefined,
    `+ onnx/{model,model_q4,model_fp16}.onnx 500M
     + onnx/model.onnx_data 2G
     + config.json
     + tokenizer.json 11M`,
  ),
  repo(
    'ggerganov/whisper.cpp the format before GGUF',
    undefined,
    `+ ggml-{base,base.en,large-v3,large-v3-q5_0}.bin 1G
     + README.md`,
  ),
  repo(
    'someone/both GGUF and safetensors in one repo',
    undefined,
    `- model-Q4_K_M.gguf 4G
     - model-Q8_0.gguf 8G
     - mmproj-F16.gguf 900M
     + model.safetensors 16G
     + config.json`,
  ),
  repo(
    'someone/both-GGUF the name says which',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G
     - model-Q8_0.gguf 8G
     - model.safetensors 16G
     - model.safetensors.index.json
     - pytorch_model.bin 16G
     + config.json
     - tokenizer.json 33M`,
  ),
  repo(
    'someone/both a selector says which',
    'Q8_0',
    `- model-Q4_K_M.gguf 4G
     + model-Q8_0.gguf 8G
     - model.safetensors 16G`,
    { selector: 'Q8_0' },
  ),
  repo(
    'someone/both the card says which',
    'Q8_0',
    `- model-Q4_K_M.gguf 4G
     + model-Q8_0.gguf 8G
     - model.safetensors 16G`,
    { pin: 'model-Q8_0.gguf' },
  ),
  repo(
    'someone/both-GGUF asked for as safetensors',
    undefined,
    `- model-Q4_K_M.gguf 4G
     + model.safetensors 16G
     - mmproj-F16.gguf 900M
     + tokenizer.json 33M`,
    { weights: 'safetensors' },
  ),
  repo(
    'someone/both asked for as GGUF',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G
     - model-Q8_0.gguf 8G
     - model.safetensors 16G`,
    { weights: 'gguf' },
  ),
  repo(
    'someone/both all weights',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G
     - model-Q8_0.gguf 8G
     + model.safetensors 16G
     - pytorch_model.bin 16G`,
    { weights: 'all' },
  ),
  repo(
    'someone/both everything',
    'Q4_K_M',
    `+ model-Q4_K_M.gguf 4G
     + model-Q8_0.gguf 8G
     + model.safetensors 16G
     + pytorch_model.bin 16G
     + imatrix.gguf 8M
     - .DS_Store
     - model-Q8_0.gguf.partial 1G`,
    { whole: true },
  ),
  repo(
    'someone/m-GGUF an importance matrix is no weights',
    'UD-Q4_K_XL',
    `- imatrix.gguf 8M
     + m-UD-Q4_K_XL.gguf 4G
     - m-BF16.gguf 16G`,
  ),
  repo(
    'someone/m-GGUF sidecars that carry a label',
    'UD-Q4_K_M',
    `+ M-UD-Q4_K_M.gguf 16G
     - MTP/mtp-Q4_K_M.gguf 2G
     - imatrix-Q4_K_M.gguf 10M
     - draft-Q4_K_M.gguf 500M
     - M-Eagle3-Q4_K_M.gguf 500M
     - M-LoRA-Q4_K_M.gguf 500M
     - M-vocab-Q4_K_M.gguf 500K
     + MMPROJ-Q4_K_M.GGUF 900M`,
    { selector: 'ud-q4_k_m' },
  ),
  repo(
    'someone/m-GGUF fp16 is not quantized',
    'Q4',
    `- m-fp16.gguf 16G
     + m-q4.gguf 4G`,
  ),
  ...['f16', 'F32', 'bf16', 'FP32', 'Fp16', 'float16'].map((spelled) =>
    repo(`someone/m-GGUF ${spelled} ranks last`, 'model-without-label.gguf', `- m-${spelled}.gguf 16G\n+ model-without-label.gguf 8G`),
  ),
  repo(
    'someone/m-GGUF dynamic labels by their bits',
    'UD-Q4_K_XL',
    `- m-UD-IQ1_S.gguf 1G
     - m-UD-Q3_K_XL.gguf 3G
     + m-UD-Q4_K_XL.gguf 4G
     - m-UD-Q6_K_XL.gguf 6G`,
  ),
  repo(
    'someone/m-GGUF other labels by their bits',
    'MXFP4',
    `- m-Q8_0.gguf 8G
     - m-TQ1_0.gguf 1G
     - m-Q4_1.gguf 5G
     + m-MXFP4.gguf 4G
     - m-IQ4_XS.gguf 4G`,
  ),
  repo(
    'someone/m-GGUF the label is in the folder',
    'Q8_0',
    `- Q4_K_M/model.gguf 4G
     + Q8_0/model.gguf 8G`,
    { selector: 'q8_0' },
  ),
  repo(
    'someone/m-GGUF folders without a label',
    'B',
    `- A/model.gguf 4G
     + B/model.gguf 8G`,
    { selector: 'b' },
  ),
  repo(
    'someone/m-GGUF the same label twice, by path',
    'b/x-Q4_0.gguf',
    `- a/x-Q4_0.gguf 4G
     + b/x-Q4_0.gguf 4G`,
    { selector: 'b/x-Q4_0.gguf' },
  ),
  repo(
    'someone/m-GGUF a whole group beside one with a hole, of the same label',
    'Foo-Q5_K_M-00001-of-00002.gguf',
    `+ Foo-Q5_K_M-0000{1,2}-of-00002.gguf 2G
     - Foo-Q5_K_M-00001-of-00003.gguf 1G`,
    { selector: 'Q5_K_M' },
  ),
  repo(
    'someone/m-GGUF any shard names its group',
    'Q5_K_M',
    `+ Foo-Q5_K_M-0000{1,2}-of-00002.gguf 2G
     - Foo-Q4_K_M.gguf 4G`,
    { selector: 'Foo-Q5_K_M-00002-of-00002.gguf' },
  ),
  repo(
    'someone/m-GGUF a hole in what was not chosen',
    'Q4_K_M',
    `+ Foo-Q4_K_M.gguf 4G
     - Foo-Q8_0-0000{1,3}-of-00003.gguf 3G`,
  ),
  repo(
    'someone/Eagle-7B-GGUF the word is the name of the model',
    'Q4_K_M',
    `+ RWKV-5-Eagle-7B-Q4_K_M.gguf 4G
     - RWKV-5-Eagle-7B-Q8_0.gguf 8G`,
  ),
  repo(
    'someone/m-GGUF a draft model by its path',
    'draft-Q8_0.gguf',
    `- m-Q4_K_M.gguf 4G
     + draft-Q8_0.gguf 500M`,
    { selector: 'draft-Q8_0.gguf' },
  ),
  repo(
    'someone/m-mmproj-GGUF nothing but projectors',
    undefined,
    `+ mmproj-F16.gguf 900M
     + mmproj-BF16.gguf 900M
     + README.md`,
  ),
  repo(
    'someone/two-GGUF a projector for each model',
    'big-Q4_K_M.gguf',
    `+ big-Q4_K_M.gguf 8G
     - small-Q4_K_M.gguf 2G
     - mmproj-small-F16.gguf 900M
     + mmproj-big-BF16.gguf 900M`,
    { selector: 'big-Q4_K_M.gguf' },
  ),
  repo(
    'someone/m-GGUF one projector by name',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G
     - mmproj-F16.gguf 900M
     + sub/mmproj-BF16.gguf 900M`,
    { mmproj: 'mmproj-BF16.gguf' },
  ),
  repo(
    'someone/m-GGUF all projectors',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G
     + mmproj-{F16,BF16,F32}.gguf 900M`,
    { mmproj: 'all' },
  ),
  repo(
    'someone/m-GGUF the size of small files',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 8G
     + tokenizer.json 9.9M
     - demo.mp4 10M
     + assets/logo.png 40K
     - training_args.bin 5K
     - adapter.safetensors 1M`,
  ),
  repo(
    'someone/m patterns take what they match',
    undefined,
    `- model.safetensors 8G
     + pytorch_model.bin 8G
     + sub/other.bin 1M
     - config.json`,
    { include: ['*.bin'] },
  ),
  repo(
    'someone/m-GGUF a pattern takes a quantization',
    'Q8_0',
    `- m-Q4_K_M.gguf 4G
     + m-Q8_0-0000{1,2}-of-00002.gguf 4G
     - config.json`,
    { include: ['*Q8_0*'] },
  ),
  repo(
    'someone/m-GGUF patterns beside a selector',
    'Q4_K_M',
    `+ m-Q4_K_M.gguf 4G
     - m-Q8_0.gguf 8G
     + video.mp4 20M
     - config.json`,
    { selector: 'Q4_K_M', include: ['*.mp4'] },
  ),
  repo(
    'someone/m-GGUF patterns leave out, and the next best is taken',
    'Q5_K_M',
    `- m-Q4_K_M.gguf 4G
     + m-Q5_K_M.gguf 5G
     - assets/a.png
     - assets/deep/b.png
     + config.json`,
    { exclude: ['*Q4_K*', 'assets/'] },
  ),
  repo('someone/empty', undefined, ''),
];
