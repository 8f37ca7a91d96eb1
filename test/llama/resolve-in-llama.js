/** `node resolve-in-llama.js URI DIRECTORY`: has node-llama-cpp fetch a model, and prints where it is, or why it could not. */
import { resolveModelFile } from 'node-llama-cpp';

const [uri = '', directory = ''] = process.argv.slice(2);
const said = await resolveModelFile(uri, { directory, cli: false }).then(
  (path) => ({ path }),
  (error) => ({ error: String(error.message) }),
);
process.stdout.write(`${JSON.stringify(said)}\n`);
