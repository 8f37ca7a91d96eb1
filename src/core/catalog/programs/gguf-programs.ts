import { shellWord } from '../../kernel/shell-word.ts';
import type { ModelFacts } from './facts.ts';
import { askingHub, firstOf, noEndpoint, running, wantsGguf, wayOf, withGguf } from './lines.ts';
import type { Endpoint, ProgramUse } from './programs.ts';

type Use = Omit<ProgramUse, 'program' | 'title'>;

/** The server of llama.cpp. */
export function useLlamaServer(model: ModelFacts, endpoint: Endpoint): Use {
  const { modelId, gguf, hasOrg, ref } = model;
  const problem = wantsGguf('llama.cpp', model);
  return {
    hub: wayOf(
      firstOf(
        problem,
        noEndpoint(endpoint),
        !hasOrg && `llama.cpp can download only models with an organization, such as org/${modelId}.`,
        endpoint.needsToken && 'This store requires a token, and llama.cpp sends only Hugging Face tokens.',
      ),
      () =>
        askingHub(
          endpoint,
          gguf?.tag === undefined
            ? `llama-server -hf ${shellWord(modelId)} --hf-file ${shellWord(withGguf(model).file)}`
            : `llama-server -hf ${shellWord(ref)}`,
          { hasOwnTokenRule: true },
        ),
    ),
    staged: wayOf(problem, () =>
      running(ref, `llama-server -m {gguf}${gguf?.mmproj === undefined ? '' : ' --mmproj {mmproj}'} --port 8080`),
    ),
    pitfall: 'MODEL_ENDPOINT overrides HF_ENDPOINT. llama.cpp keeps downloads in its own cache, separate from staged copies.',
  };
}

/** What Ollama accepts as a part of a name. */
const ollamaName = /^\w[\w.-]{0,79}$/;

/** Ollama, which pulls from a registry and keeps its own copy. */
export function useOllama(model: ModelFacts, endpoint: Endpoint): Use {
  const { modelId, name, hasOrg, gguf, ref } = model;
  const org = hasOrg ? modelId.slice(0, modelId.indexOf('/')) : '';
  const isPlain = endpoint.address?.startsWith('http:') === true;
  const host = endpoint.address?.replace(/^https?:\/\//, '').replace(/\/+$/, '') ?? '';
  const tag = gguf?.tag ?? gguf?.file.replace(/^.*\//, '').replace(/\.gguf$/i, '') ?? '';
  const problem = firstOf(
    wantsGguf('Ollama', model),
    gguf?.isSplit === true && 'Ollama cannot load a split GGUF file; `llama-gguf-split --merge` joins the parts.',
  );
  const pulled = `${host}/${modelId}:${tag}`;
  return {
    hub: wayOf(
      firstOf(
        problem,
        noEndpoint(endpoint),
        !hasOrg && `Ollama can pull only models with an organization, such as org/${modelId}.`,
        org.includes('.') && `Ollama does not accept the dot in the organization ${org}.`,
        host.startsWith('[') && 'Ollama does not accept the IPv6 address of a server; use its name or IPv4 address.',
        ![org, name, tag].every((part) => ollamaName.test(part)) && `Ollama does not accept the name ${modelId}:${tag}.`,
        endpoint.needsToken && 'This store requires a token, and Ollama does not send one when it downloads files.',
      ),
      () => [`ollama pull${isPlain ? ' --insecure' : ''} ${shellWord(pulled)}`, `ollama run ${shellWord(pulled)}`],
    ),
    staged: wayOf(problem, () => [
      `printf 'FROM %s\\n' "$(skulk stage --print gguf ${shellWord(ref)})" > Modelfile`,
      `ollama create ${shellWord(name.toLowerCase())} -f Modelfile`,
    ]),
    pitfall:
      gguf?.mmproj === undefined
        ? 'Without --insecure Ollama tries https and fails. It keeps its own copy, so a model that is also staged is on the disk twice.'
        : 'Without --insecure Ollama tries https and fails. A pull includes the projector; a Modelfile needs a second FROM line for it.',
  };
}

/** LM Studio, which only downloads from Hugging Face, but can import files. */
export function useLmStudio(model: ModelFacts, endpoint: Endpoint): Use {
  const { modelId, gguf, ref, hasOrg } = model;
  const problem = firstOf(
    wantsGguf('`lms import`', model),
    !hasOrg && `LM Studio keeps models as publisher/model, and ${modelId} has no publisher.`,
  );
  const into = `--hard-link --user-repo ${shellWord(modelId)} --yes`;
  const isOne = gguf?.isSplit === false && gguf.mmproj === undefined;
  return {
    hub: { problem: firstOf(problem, noEndpoint(endpoint)) ?? 'LM Studio ignores HF_ENDPOINT and always downloads from huggingface.co.' },
    staged: wayOf(problem, () =>
      isOne
        ? [`lms import "$(skulk stage --print gguf ${shellWord(ref)})" ${into}`]
        : [
            `skulk stage --print files ${shellWord(ref)} | grep '\\.gguf$' | while read -r file; do`,
            `  lms import "$file" ${into} < /dev/null`,
            'done',
          ],
    ),
    pitfall:
      'Without --hard-link or --copy, `lms import` moves the file out of the staged copy. Hard links need both directories on one disk.',
  };
}
