/** `node resolve-model.js URL REF DIRECTORY`: has node-llama-cpp find and download a model at a Hub, and prints where it is. */
import { resolveModelFile } from 'node-llama-cpp';

const [, , huggingFace, ref, directory] = process.argv;
const path = await resolveModelFile(ref, { directory, download: 'auto', verify: true, cli: false, endpoints: { huggingFace } });
process.stdout.write(`${JSON.stringify({ path })}\n`);
