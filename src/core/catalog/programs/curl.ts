import { shellWord } from '../../kernel/shell-word.ts';
import type { ModelFacts } from './facts.ts';
import { firstOf, noEndpoint, wayOf } from './lines.ts';
import type { Endpoint, ProgramUse } from './programs.ts';

/** With more files, a command would be unreadable. */
const maxFiles = 40;

/** Plain files over HTTP. */
export function useCurl(model: ModelFacts, endpoint: Endpoint): Omit<ProgramUse, 'program' | 'title'> {
  const { modelId, name, files, gguf } = model;
  // A single quantization goes into the current directory; a model of many files gets its own directory.
  const folder = gguf === undefined ? `${name}/` : '';
  const token = endpoint.needsToken ? ' -H "Authorization: Bearer $SKULK_TOKEN"' : '';
  const urlOf = (path: string): string =>
    `${endpoint.address ?? ''}/${modelId}/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`;
  return {
    hub: wayOf(
      firstOf(
        noEndpoint(endpoint),
        files.length === 0 && `${modelId} has no files.`,
        files.length > maxFiles && `${modelId} has ${files.length} files, too many for one command; use hf.`,
      ),
      () => [
        `curl --fail --globoff --continue-at - --create-dirs${token} \\`,
        ...files.map(({ path }, index) => {
          const end = index === files.length - 1 ? '' : ' \\';
          return `  --output ${shellWord(`./${folder}${path}`)} ${shellWord(urlOf(path))}${end}`;
        }),
      ],
    ),
    staged: { problem: 'curl only downloads. `skulk stage` also verifies the files.' },
    pitfall: 'curl does not verify files: compare `sha256sum` with the sha256 of the file, which is also the ETag of large files.',
  };
}
