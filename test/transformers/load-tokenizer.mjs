/** `node load-tokenizer.mjs HOST MODEL DIRECTORY`: loads a configuration and a tokenizer with transformers.js, and prints the result. */
import { registerHooks } from 'node:module';

const url = new URL('./no-runtime.mjs', import.meta.url).href;
const isLeftOut = (name) => /^(?:sharp|onnxruntime-(?:node|common|web.*))$/.test(name);
registerHooks({
  resolve: (name, context, next) => (isLeftOut(name) ? { url, format: 'module', shortCircuit: true } : next(name, context)),
});
const { AutoConfig, AutoTokenizer, env } = await import('@huggingface/transformers');
const [, , host, model, directory] = process.argv;
env.remoteHost = `${host}/`;
env.cacheDir = directory;
env.allowLocalModels = false;
const { model_type } = await AutoConfig.from_pretrained(model);
const tokenizer = await AutoTokenizer.from_pretrained(model);
process.stdout.write(`${JSON.stringify({ model_type, tokens: tokenizer.encode('hello world') })}\n`);
