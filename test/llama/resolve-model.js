/** `node resolve-model.js URL REF DIRECTORY`: finds and downloads a model at a Hub with node-llama-cpp, and prints its path. */
import { resolveModelFile } from 'node-llama-cpp';

const [, , huggingFace, ref, directory] = process.argv;
const path = await resolveModelFile(ref, { directory, download: 'auto', verify: true, cli: false, endpoints: { huggingFace } });
process.stdout.write(`${JSON.stringify({ path })}\n`);
