/** `node resolve-in-llama.js URI DIRECTORY`: downloads a model with node-llama-cpp, and prints its path, or the reason of the failure. */
import { resolveModelFile } from 'node-llama-cpp';

const [uri = '', directory = ''] = process.argv.slice(2);
const said = await resolveModelFile(uri, { directory, cli: false }).then(
  (path) => ({ path }),
  (error) => ({ error: String(error.message) }),
);
process.stdout.write(`${JSON.stringify(said)}\n`);
