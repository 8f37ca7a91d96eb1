import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How to install the missing program. */
const ways: Readonly<Record<string, string>> = {
  chromium: 'apt install chromium, or name one in SKULK_TEST_CHROMIUM',
  tmux: 'apt install tmux procps',
  'a disk of their own': 'be root, on Linux',
  'network namespaces': 'apt install iproute2, and be root',
  'pid namespaces': 'be root, on Linux',
  openssl: 'apt install openssl',
  script: 'apt install util-linux',
  wget: 'apt install wget',
  aria2: 'apt install aria2',
  'transformers.js': 'npm run test:setup',
  hf: 'Debian sid: python3-huggingface-hub; or name a directory with it in SKULK_TEST_CLIENTS',
  huggingface_hub: 'a python3 with huggingface_hub; or name a directory with one in SKULK_TEST_CLIENTS',
  transformers: 'a python3 with torch and transformers; or name a directory with one in SKULK_TEST_CLIENTS',
  'llama-server': 'Debian sid: llama.cpp-tools; or name a directory with it in SKULK_TEST_CLIENTS',
  root: 'be root',
  'llama.cpp': 'npm run test:setup',
  'llama-quantize': 'npm run test:setup',
  SKULK_TEST_ENGINE_LLAMA: 'the path of llama-quantize; npm run test:engines',
  SKULK_TEST_ENGINE_MLX: 'the path of mlx_lm.convert; npm run test:engines',
  SKULK_TEST_ENGINE_OPTIQ: 'the path of optiq; npm run test:engines',
};

/** Undefined for tests that were not selected, as with `-t`. */
const reasonOf = (test: TestCase): string | undefined => {
  const { wants } = test.meta();
  const result = test.result();
  if (wants !== undefined) return `for want of ${wants}${ways[wants] === undefined ? '' : ` (${ways[wants]})`}`;
  return result.state === 'skipped' ? result.note : undefined;
};

/** Prints one line at the end with the skipped tests, the reason, and how to run them. */
// biome-ignore lint/style/noDefaultExport: vitest takes a reporter from there
export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const reason = reasonOf(test);
        if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    if (counts.size === 0) return;
    const parts = [...counts].map(([reason, count]) => `${count} ${reason}`);
    process.stdout.write(`Tests left out: ${parts.join('; ')}.\n`);
  }
}
