// Starts aria2 as a node does, says its pid, and stays until it is killed.
const [source, program, directory, record] = process.argv.slice(2);
const { startAria2 } = await import(`${source}/aria2.ts`);
const { recordAria2 } = await import(`${source}/left-aria2.ts`);
const onStart = async (identity) => {
  await recordAria2(record, identity);
  process.stdout.write(`${identity.pid}\n`);
};
await startAria2({ program, directory, signal: new AbortController().signal, port: 42_000, onStart });
process.stdout.write('ready\n');
setInterval(() => undefined, 1000);
