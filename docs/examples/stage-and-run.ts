// node stage-and-run.ts MODEL: stages a model, gives up once on the way, and runs a program on the copy.
import { openSkulk, SkulkError } from 'skulk';

const model = process.argv[2] ?? 'mlx-community/Qwen3-4B-4bit';

// The same configuration and environment as the command `skulk` has; `openSkulk({ store: 'http://nas:58080' })` names a store.
const skulk = await openSkulk({
  onEvent: (event) => {
    if (event.type === 'warning') console.error(`warning: ${event.message}`);
  },
});

try {
  // Every failure that skulk foresees has a code that stays the same, and mostly a hint.
  await skulk.show('no-such/model').catch((error: unknown) => {
    if (!(error instanceof SkulkError) || error.code !== 'MODEL_NOT_FOUND') throw error;
    console.log(`code: ${error.code}`);
  });

  // An abort ends a call with INTERRUPTED. What had come is kept: the next call goes on from there.
  const abort = new AbortController();
  try {
    await skulk.stage(model, { signal: abort.signal, onProgress: () => abort.abort() });
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'INTERRUPTED') throw error;
    console.log(`aborted: ${error.code}`);
  }

  const { staged } = await skulk.stage(model, {
    onProgress: ({ doing, subject, bytesDone, bytesTotal }) => console.error(`${doing} ${subject}: ${bytesDone} of ${bytesTotal} bytes`),
  });
  for (const { path, source } of staged) console.log(`staged: ${path} (${source})`);

  // The copy stays in use, so that nothing evicts it, until the program ends.
  const { status } = await skulk.run(model, process.execPath, ['-p', '"in the program: " + process.argv[1]', '{path}'], {
    output: (chunk) => process.stdout.write(chunk),
  });
  console.log(`status: ${status}`);
} finally {
  await skulk.close();
}
