import type { ProgramName, UsedModel } from '../../src/core/catalog/programs/programs.ts';
import { listUses } from '../../src/core/catalog/programs/use-program.ts';

const gib = 2 ** 30;

/** The models of docs/recipes, by their word in a mark. */
const models: Readonly<Record<string, UsedModel>> = {
  gguf: { modelId: 'bartowski/Foo-GGUF', files: [{ path: 'Foo-Q4_K_M.gguf', size: 5 * gib }], baseModel: 'org/Foo' },
  vision: {
    modelId: 'bartowski/Seer-GGUF',
    files: [
      { path: 'Seer-Q4_K_M.gguf', size: 5 * gib },
      { path: 'mmproj-F16.gguf', size: gib },
    ],
  },
  safetensors: { modelId: 'Qwen/Qwen3-8B', files: [{ path: 'model.safetensors', size: 16 * gib }] },
  mlx: { modelId: 'mlx-community/Qwen3-4B-4bit', files: [{ path: 'model.safetensors', size: 2 * gib }] },
  small: {
    modelId: 'sentence-transformers/all-MiniLM-L6-v2',
    files: [
      { path: 'config.json', size: 600 },
      { path: 'model.safetensors', size: 90_000_000 },
    ],
    tags: ['embedding'],
  },
};

const block = /(<!-- lines: (\S+) (hub|staged) (\S+?)( token)? -->\n)```sh\n[\s\S]*?```\n/g;
const sentence = /(<!-- pitfall: (\S+) (\S+) -->\n)[^\n]*\n/g;

/** A recipe with new lines and pitfalls after its marks, as printed by `skulk show --use`. */
export function withRecipeLines(page: string): string {
  return page
    .replaceAll(block, (_, mark: string, program: string, way: 'hub' | 'staged', model: string, token?: string) => {
      const { lines, problem } = find(program, model, token !== undefined)[way];
      if (lines === undefined) throw new Error(`no lines for ${program} ${way} ${model}: ${problem}`);
      return `${mark}\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`;
    })
    .replaceAll(sentence, (_, mark: string, program: string, model: string) => `${mark}${find(program, model, false).pitfall}\n`);
}

function find(program: string, name: string, needsToken: boolean): ReturnType<typeof listUses>[number] {
  const model = models[name];
  const found =
    model && listUses(model, { address: 'http://192.168.1.10:58080', needsToken }).find((one) => one.program === (program as ProgramName));
  if (found === undefined) throw new Error(`a recipe names ${program} ${name}, which nothing knows`);
  return found;
}
