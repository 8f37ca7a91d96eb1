/**
 * `node run-in-llama.js MODEL [WORD…]`: loads a GGUF with llama.cpp and prints its description and the words, or why this platform cannot.
 */
import { getLlama, LlamaCompletion, NoBinaryFoundError } from 'node-llama-cpp';

try {
  const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false });
  const model = await llama.loadModel({ modelPath: process.argv[2] ?? '' });
  const context = await model.createContext({ contextSize: 64 });
  const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
  const text = await completion.generateCompletion('the', { maxTokens: 4, temperature: 0 });
  const { size, fileInfo } = model;
  const type = fileInfo.metadata.general.file_type;
  process.stdout.write(`${JSON.stringify({ text, size, type, words: process.argv.slice(3) })}\n`);
  await llama.dispose();
} catch (error) {
  if (!(error instanceof NoBinaryFoundError)) throw error;
  process.stdout.write(`${JSON.stringify({ skipped: 'there is no binary of llama.cpp for this platform' })}\n`);
}
