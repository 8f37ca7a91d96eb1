/** `node run-in-llama.js MODEL`: loads a GGUF with llama.cpp and prints what it says, or why this platform cannot. */
import { getLlama, LlamaCompletion, NoBinaryFoundError } from 'node-llama-cpp';

try {
  const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false });
  const model = await llama.loadModel({ modelPath: process.argv[2] ?? '' });
  const context = await model.createContext({ contextSize: 64 });
  const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
  process.stdout.write(`${JSON.stringify({ text: await completion.generateCompletion('the', { maxTokens: 4, temperature: 0 }) })}\n`);
  await llama.dispose();
} catch (error) {
  if (!(error instanceof NoBinaryFoundError)) throw error;
  process.stdout.write(`${JSON.stringify({ skipped: 'there is no binary of llama.cpp for this platform' })}\n`);
}
