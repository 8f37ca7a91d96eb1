import { describe, expect, test } from 'vitest';
import type { GgufFacts } from '../../src/core/catalog/gguf-facts.ts';
import { toGgufFacts } from '../../src/core/catalog/gguf-facts.ts';
import { deriveTraits } from '../../src/core/catalog/traits.ts';

/** The facts that classify a model of the Hub: parts of its config.json, its file list and its chat template. */
interface RealModel {
  readonly id: string;
  /** Tags, in the order of `tags`. */
  readonly tags: string;
  readonly why: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly template?: string;
  readonly files?: readonly string[];
  readonly gguf?: GgufFacts;
  /** The context length, if the configuration has it. */
  readonly context?: number;
}

const arch = (name: string, more: object = {}): Readonly<Record<string, unknown>> => ({ architectures: [name], ...more });
const pooling = ['1_Pooling/config.json', 'modules.json'];
const thinkBoth = "{{- '<think>\\n' + reasoning_content + '\\n</think>\\n\\n' }}{%- if enable_thinking is false %}";
const thinkEnd = "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}";

const models: readonly RealModel[] = [
  // Text, dense and sparse.
  {
    id: 'meta-llama/Llama-3.1-8B-Instruct',
    tags: 'tensor',
    why: 'LlamaForCausalLM is split',
    config: arch('LlamaForCausalLM', { max_position_embeddings: 131_072 }),
    context: 131_072,
  },
  { id: 'meta-llama/Llama-3.2-1B', tags: 'tensor', why: 'the same architecture without a template', config: arch('LlamaForCausalLM') },
  {
    id: 'mistralai/Mistral-7B-Instruct-v0.3',
    tags: '',
    why: 'MistralForCausalLM is not split',
    config: arch('MistralForCausalLM', { max_position_embeddings: 32_768 }),
    context: 32_768,
  },
  { id: 'mistralai/Mixtral-8x7B-Instruct-v0.1', tags: '', why: 'MixtralForCausalLM is not split', config: arch('MixtralForCausalLM') },
  {
    id: 'Qwen/Qwen2.5-7B-Instruct',
    tags: '',
    why: 'Qwen2 neither thinks nor is split',
    config: arch('Qwen2ForCausalLM', { max_position_embeddings: 32_768 }),
    template: '<|im_start|>system\\nYou are Qwen',
  },
  {
    id: 'Qwen/Qwen3-8B',
    tags: 'thinking',
    why: 'its template has enable_thinking; Qwen3ForCausalLM is dense and not split',
    config: arch('Qwen3ForCausalLM', { max_position_embeddings: 40_960 }),
    template: thinkBoth,
    context: 40_960,
  },
  {
    id: 'Qwen/Qwen3-30B-A3B',
    tags: 'thinking tensor',
    why: 'Qwen3MoeForCausalLM is split',
    config: arch('Qwen3MoeForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'mlx-community/Qwen3-30B-A3B-4bit',
    tags: 'thinking tensor',
    why: 'a quantized copy keeps both',
    config: arch('Qwen3MoeForCausalLM', { quantization: { bits: 4, group_size: 64 } }),
    template: thinkBoth,
  },
  {
    id: 'Qwen/Qwen3-Coder-30B-A3B-Instruct',
    tags: 'tensor',
    why: 'its template has no thoughts',
    config: arch('Qwen3MoeForCausalLM'),
    template: '<tool_call>\\n<function=example>',
  },
  {
    id: 'Qwen/Qwen3-Next-80B-A3B-Thinking',
    tags: 'thinking tensor',
    why: 'Qwen3NextForCausalLM is split',
    config: arch('Qwen3NextForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'deepseek-ai/DeepSeek-V3',
    tags: 'tensor',
    why: 'DeepseekV3ForCausalLM is split',
    config: arch('DeepseekV3ForCausalLM', { max_position_embeddings: 163_840 }),
    context: 163_840,
  },
  {
    id: 'deepseek-ai/DeepSeek-R1',
    tags: 'thinking tensor',
    why: 'its template only names the end of the thoughts',
    config: arch('DeepseekV3ForCausalLM'),
    template: thinkEnd,
  },
  {
    id: 'deepseek-ai/DeepSeek-V2-Lite-Chat',
    tags: '',
    why: 'DeepseekV2ForCausalLM is another architecture',
    config: arch('DeepseekV2ForCausalLM'),
  },
  {
    id: 'deepseek-ai/DeepSeek-V3.2-Exp',
    tags: 'thinking tensor',
    why: 'DeepseekV32ForCausalLM is split',
    config: arch('DeepseekV32ForCausalLM'),
    template: thinkEnd,
  },
  {
    id: 'deepseek-ai/DeepSeek-R1-Distill-Qwen-7B',
    tags: 'thinking',
    why: 'a Qwen2 whose template cuts thoughts off',
    config: arch('Qwen2ForCausalLM'),
    template: thinkEnd,
  },
  {
    id: 'deepseek-ai/DeepSeek-R1-Distill-Llama-70B',
    tags: 'thinking tensor',
    why: 'a Llama with the same template',
    config: arch('LlamaForCausalLM'),
    template: thinkEnd,
  },
  {
    id: 'Qwen/QwQ-32B',
    tags: 'thinking',
    why: 'its prompt begins a thought',
    config: arch('Qwen2ForCausalLM'),
    template: '<|im_start|>assistant\\n<think>\\n',
  },
  {
    id: 'openai/gpt-oss-20b',
    tags: 'thinking tensor',
    why: 'thoughts are the channel analysis',
    config: arch('GptOssForCausalLM'),
    template: "{{- '<|start|>assistant<|channel|>analysis<|message|>' }}",
  },
  {
    id: 'openai/gpt-oss-120b',
    tags: 'thinking tensor',
    why: 'the same',
    config: arch('GptOssForCausalLM', { max_position_embeddings: 131_072 }),
    template: '<|channel|>analysis',
    context: 131_072,
  },
  {
    id: 'mistralai/Magistral-Small-2506',
    tags: 'thinking',
    why: 'its markers are [THINK] and [/THINK]',
    config: arch('MistralForCausalLM'),
    template: '[THINK]Here are my thoughts[/THINK]',
  },
  {
    id: 'ByteDance-Seed/Seed-OSS-36B-Instruct',
    tags: 'thinking',
    why: 'its marker is <seed:think>',
    config: arch('SeedOssForCausalLM'),
    template: '<seed:think>',
  },
  {
    id: 'CohereLabs/command-a-reasoning-08-2025',
    tags: 'thinking',
    why: 'its marker is <|START_THINKING|>',
    config: arch('Cohere2ForCausalLM'),
    template: '<|START_THINKING|>',
  },
  {
    id: 'CohereLabs/c4ai-command-r7b-12-2024',
    tags: '',
    why: 'a Cohere2 whose template has no thoughts',
    config: arch('Cohere2ForCausalLM'),
    template: '<|START_RESPONSE|>',
  },
  {
    id: 'zai-org/GLM-4.5-Air',
    tags: 'thinking',
    why: 'Glm4MoeForCausalLM is not split',
    config: arch('Glm4MoeForCausalLM'),
    template: '{{ "<think></think>" }}{% if enable_thinking is false %}',
  },
  {
    id: 'zai-org/GLM-4.7-Flash',
    tags: 'thinking tensor',
    why: 'Glm4MoeLiteForCausalLM is split',
    config: arch('Glm4MoeLiteForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'zai-org/GLM-5',
    tags: 'thinking tensor',
    why: 'GlmMoeDsaForCausalLM is split',
    config: arch('GlmMoeDsaForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'MiniMaxAI/MiniMax-M2',
    tags: 'thinking tensor',
    why: 'MiniMaxM2ForCausalLM is split',
    config: arch('MiniMaxM2ForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'moonshotai/Kimi-K2-Instruct',
    tags: 'tensor',
    why: 'Kimi K2 has the architecture of DeepSeek V3',
    config: arch('DeepseekV3ForCausalLM'),
    template: '<|im_assistant|>',
  },
  {
    id: 'moonshotai/Kimi-K2-Thinking',
    tags: 'thinking tensor',
    why: 'its template keeps reasoning_content',
    config: arch('DeepseekV3ForCausalLM'),
    template: 'message.reasoning_content',
  },
  {
    id: 'stepfun-ai/Step-3.5-Flash',
    tags: 'thinking tensor',
    why: 'Step3p5ForCausalLM is split',
    config: arch('Step3p5ForCausalLM'),
    template: thinkBoth,
  },
  {
    id: 'nvidia/NVIDIA-Nemotron-Nano-9B-v2',
    tags: 'thinking tensor',
    why: 'NemotronHForCausalLM is split',
    config: arch('NemotronHForCausalLM'),
    template: "{{- '<think></think>' }}",
  },
  {
    id: 'HuggingFaceTB/SmolLM3-3B',
    tags: 'thinking',
    why: 'its template has enable_thinking',
    config: arch('SmolLM3ForCausalLM'),
    template: 'enable_thinking',
  },
  {
    id: 'microsoft/Phi-4-reasoning',
    tags: 'thinking',
    why: 'its system prompt asks for <think>',
    config: arch('Phi3ForCausalLM'),
    template: 'Please structure your response: <think> {Thought section} </think>',
  },
  {
    id: 'microsoft/phi-4',
    tags: '',
    why: 'the same architecture without thoughts',
    config: arch('Phi3ForCausalLM', { max_position_embeddings: 16_384 }),
    context: 16_384,
  },
  {
    id: 'LGAI-EXAONE/EXAONE-Deep-7.8B',
    tags: 'thinking',
    why: 'its marker is <thought>',
    config: arch('ExaoneForCausalLM'),
    template: "{{ '[|assistant|]<thought>\\n' }}",
  },
  {
    id: 'google/gemma-2-9b-it',
    tags: '',
    why: 'text only',
    config: arch('Gemma2ForCausalLM', { max_position_embeddings: 8192 }),
    context: 8192,
  },
  { id: 'google/gemma-3-1b-it', tags: '', why: 'the smallest Gemma 3 has no vision', config: arch('Gemma3ForCausalLM') },
  {
    id: 'openai-community/gpt2',
    tags: '',
    why: 'its context is n_positions',
    config: arch('GPT2LMHeadModel', { n_positions: 1024 }),
    context: 1024,
  },
  { id: 'tiiuae/falcon-7b', tags: '', why: 'FalconForCausalLM', config: arch('FalconForCausalLM') },
  {
    id: 'google-t5/t5-small',
    tags: '',
    why: 'ForConditionalGeneration without images',
    config: arch('T5ForConditionalGeneration', { n_positions: 512 }),
    context: 512,
  },
  { id: 'openai/whisper-large-v3', tags: '', why: 'it hears and does not see', config: arch('WhisperForConditionalGeneration') },
  // Vision models.
  {
    id: 'google/gemma-3-27b-it',
    tags: 'vision',
    why: 'vision_config',
    config: arch('Gemma3ForConditionalGeneration', {
      vision_config: { model_type: 'siglip_vision_model' },
      text_config: { max_position_embeddings: 131_072 },
    }),
    context: 131_072,
  },
  {
    id: 'google/gemma-3n-E4B-it',
    tags: 'vision',
    why: 'vision_config',
    config: arch('Gemma3nForConditionalGeneration', { vision_config: {}, audio_config: {} }),
  },
  {
    id: 'Qwen/Qwen2-VL-7B-Instruct',
    tags: 'vision',
    why: 'vision_config',
    config: arch('Qwen2VLForConditionalGeneration', { vision_config: {}, image_token_id: 151_655 }),
  },
  {
    id: 'Qwen/Qwen2.5-VL-7B-Instruct',
    tags: 'vision',
    why: 'vision_config',
    config: arch('Qwen2_5_VLForConditionalGeneration', { vision_config: {} }),
  },
  {
    id: 'Qwen/Qwen3-VL-8B-Thinking',
    tags: 'vision thinking',
    why: 'it does both',
    config: arch('Qwen3VLForConditionalGeneration', { vision_config: {} }),
    template: thinkBoth,
  },
  {
    id: 'Qwen/Qwen2.5-Omni-7B',
    tags: 'vision',
    why: 'its vision_config is in the thinker',
    config: arch('Qwen2_5OmniModel', { thinker_config: { vision_config: {} } }),
  },
  {
    id: 'Qwen/Qwen-VL-Chat',
    tags: 'vision',
    why: 'QWenLMHeadModel with visual',
    config: arch('QWenLMHeadModel', { visual: { heads: 16 }, seq_length: 2048 }),
    context: 2048,
  },
  {
    id: 'Qwen/Qwen-7B-Chat',
    tags: '',
    why: 'QWenLMHeadModel without visual',
    config: arch('QWenLMHeadModel', { seq_length: 8192 }),
    context: 8192,
  },
  {
    id: 'Qwen/Qwen3.5-35B-A3B',
    tags: 'vision thinking tensor',
    why: 'Qwen3_5MoeForConditionalGeneration is split and sees',
    config: arch('Qwen3_5MoeForConditionalGeneration', { vision_config: {} }),
    template: thinkBoth,
  },
  {
    id: 'Qwen/Qwen3.5-27B',
    tags: 'vision thinking tensor',
    why: 'Qwen3_5ForConditionalGeneration is split and sees',
    config: arch('Qwen3_5ForConditionalGeneration', { vision_config: {} }),
    template: thinkBoth,
  },
  {
    id: 'llava-hf/llava-1.5-7b-hf',
    tags: 'vision',
    why: 'the outer architecture decides where text_config names another one that is not split',
    config: arch('LlavaForConditionalGeneration', { vision_config: {}, image_token_index: 32_000 }),
  },
  { id: 'liuhaotian/llava-v1.5-7b', tags: 'vision', why: 'LlavaLlamaForCausalLM', config: arch('LlavaLlamaForCausalLM') },
  {
    id: 'HuggingFaceTB/SmolVLM-Instruct',
    tags: 'vision tensor',
    why: 'its text_config names LlamaForCausalLM',
    config: arch('Idefics3ForConditionalGeneration', { vision_config: {}, text_config: { architectures: ['LlamaForCausalLM'] } }),
  },
  {
    id: 'mistralai/Mistral-Small-3.1-24B-Instruct-2503',
    tags: 'vision',
    why: 'vision_config',
    config: arch('Mistral3ForConditionalGeneration', { vision_config: {} }),
  },
  {
    id: 'mistral-community/pixtral-12b',
    tags: 'vision',
    why: 'a Llava with vision_config',
    config: arch('LlavaForConditionalGeneration', { vision_config: { model_type: 'pixtral' } }),
  },
  { id: 'microsoft/Phi-3.5-vision-instruct', tags: 'vision', why: 'Phi3VForCausalLM', config: arch('Phi3VForCausalLM') },
  { id: 'microsoft/Phi-4-multimodal-instruct', tags: 'vision', why: 'Phi4MMForCausalLM', config: arch('Phi4MMForCausalLM') },
  { id: 'allenai/Molmo-7B-D-0924', tags: 'vision', why: 'MolmoForCausalLM', config: arch('MolmoForCausalLM') },
  { id: 'adept/fuyu-8b', tags: 'vision', why: 'FuyuForCausalLM', config: arch('FuyuForCausalLM') },
  { id: 'AIDC-AI/Ovis2-8B', tags: 'vision', why: 'Ovis', config: arch('Ovis', { visual_tokenizer_config: {} }) },
  { id: 'THUDM/cogvlm2-llama3-chat-19B', tags: 'vision', why: 'CogVLMForCausalLM', config: arch('CogVLMForCausalLM') },
  { id: 'vikhyatk/moondream2', tags: 'vision', why: 'HfMoondream', config: arch('HfMoondream') },
  {
    id: 'OpenGVLab/InternVL3-8B',
    tags: 'vision',
    why: 'vision_config; its context is in llm_config',
    config: arch('InternVLChatModel', { vision_config: {}, llm_config: { max_position_embeddings: 32_768 } }),
    context: 32_768,
  },
  {
    id: 'meta-llama/Llama-3.2-11B-Vision-Instruct',
    tags: 'vision',
    why: 'MllamaForConditionalGeneration is not split',
    config: arch('MllamaForConditionalGeneration', { vision_config: {} }),
  },
  {
    id: 'google/paligemma2-3b-pt-224',
    tags: 'vision',
    why: 'vision_config',
    config: arch('PaliGemmaForConditionalGeneration', { vision_config: {} }),
  },
  // Embedding models.
  {
    id: 'sentence-transformers/all-MiniLM-L6-v2',
    tags: 'embedding',
    why: 'BertModel with pooling',
    config: arch('BertModel', { max_position_embeddings: 512 }),
    files: pooling,
    context: 512,
  },
  { id: 'sentence-transformers/all-mpnet-base-v2', tags: 'embedding', why: 'MPNetModel is BERT-like', config: arch('MPNetModel') },
  { id: 'BAAI/bge-m3', tags: 'embedding', why: 'XLMRobertaModel', config: arch('XLMRobertaModel') },
  {
    id: 'BAAI/bge-reranker-v2-m3',
    tags: '',
    why: 'it compares texts and makes no vectors',
    config: arch('XLMRobertaForSequenceClassification'),
  },
  { id: 'Alibaba-NLP/gte-multilingual-base', tags: 'embedding', why: 'NewModel', config: arch('NewModel') },
  {
    id: 'jinaai/jina-embeddings-v2-base-en',
    tags: 'embedding',
    why: 'pooling beside a masked language model',
    config: arch('JinaBertForMaskedLM'),
    files: pooling,
  },
  { id: 'nomic-ai/nomic-embed-text-v1.5', tags: 'embedding', why: 'NomicBertModel', config: arch('NomicBertModel') },
  { id: 'sentence-transformers/msmarco-distilbert-base-v4', tags: 'embedding', why: 'DistilBertModel', config: arch('DistilBertModel') },
  { id: 'Qwen/Qwen3-Embedding-0.6B', tags: 'embedding', why: 'the id and a decoder', config: arch('Qwen3ForCausalLM') },
  {
    id: 'Qwen/Qwen3-Embedding-8B',
    tags: 'embedding',
    why: 'the id and a decoder, though its template thinks',
    config: arch('Qwen3ForCausalLM'),
    template: thinkBoth,
  },
  { id: 'google/embeddinggemma-300m', tags: 'embedding', why: 'a Gemma with pooling', config: arch('Gemma3TextModel'), files: pooling },
  { id: 'intfloat/e5-mistral-7b-instruct', tags: 'embedding', why: 'a Mistral with pooling', config: arch('MistralModel'), files: pooling },
  {
    id: 'nvidia/NV-Embed-v2',
    tags: 'embedding',
    why: 'pooling; its id says embed only',
    config: arch('NVEmbedModel'),
    files: ['config_sentence_transformers.json'],
  },
  // GGUF, without a config.json.
  {
    id: 'bartowski/Meta-Llama-3.1-8B-Instruct-GGUF',
    tags: '',
    why: 'a GGUF file is not split',
    gguf: toGgufFacts({ 'general.architecture': 'llama', 'llama.context_length': 131_072 }),
    context: 131_072,
  },
  {
    id: 'unsloth/Qwen3-8B-GGUF',
    tags: 'thinking',
    why: 'the template in the file',
    gguf: toGgufFacts({ 'general.architecture': 'qwen3', 'tokenizer.chat_template': thinkBoth }),
  },
  {
    id: 'unsloth/gpt-oss-20b-GGUF',
    tags: 'thinking',
    why: 'the template in the file',
    gguf: toGgufFacts({ 'general.architecture': 'gpt-oss', 'tokenizer.chat_template': '<|channel|>analysis' }),
  },
  {
    id: 'ggml-org/gemma-3-4b-it-GGUF',
    tags: 'vision',
    why: 'a projector',
    files: ['gemma-3-4b-it-Q4_K_M.gguf', 'mmproj-model-f16.gguf'],
    gguf: toGgufFacts({ 'general.architecture': 'gemma3' }),
  },
  {
    id: 'nomic-ai/nomic-embed-text-v1.5-GGUF',
    tags: 'embedding',
    why: 'nomic-bert',
    gguf: toGgufFacts({ 'general.architecture': 'nomic-bert' }),
  },
  {
    id: 'Qwen/Qwen3-Embedding-0.6B-GGUF',
    tags: 'embedding',
    why: 'pooling in the file',
    gguf: toGgufFacts({ 'general.architecture': 'qwen3', 'qwen3.pooling_type': 3 }),
  },
  {
    id: 'gaianet/jina-embeddings-v2-base-en-GGUF',
    tags: 'embedding',
    why: 'jina-bert-v2',
    gguf: toGgufFacts({ 'general.architecture': 'jina-bert-v2' }),
  },
];

describe('without a card, the tags of a model follow from its own files', () => {
  test('the table has at least 60 models', () => {
    expect(models.length).toBeGreaterThanOrEqual(60);
  });

  test.each(models)('$id is tagged "$tags": $why', ({ id, tags, config, template, files = [], gguf, context }) => {
    const found = deriveTraits({ modelId: id, files, config, chatTemplate: template, gguf });
    expect(found.tags.join(' ')).toBe(tags);
    if (context !== undefined) expect(found.context_length).toBe(context);
  });
});
