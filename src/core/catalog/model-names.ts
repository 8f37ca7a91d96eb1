import { type KindFile, kindsOfFiles } from './selection/file-kind.ts';
import { withoutLabels } from './selection/label.ts';
import { splitName } from './selection/split-name.ts';

/** Names that do not name a model. */
const general: ReadonlySet<string> = new Set(['', 'model', 'ggml-model', 'ggml', 'weights', 'main']);

/** Parts of a model for images or speech, beside its main weights: encoders of text, and decoders. */
const otherPart =
  /(?<![a-z])(?:u?m?t5(?:[-_.]?v?\d[-_.\d]*)?(?:[-_.]?xxl)?|clip|vae|ae|text[-_.]?encoders?|(?:wav)?tokenizer|vocoder|codec|snac|(?:en|de)coder)(?![a-z])/i;

/**
 * The names of the models that files of GGUF weights have, without their quantizations: two or more if the files are several models.
 * A name that begins with another one is a variant of it, e.g. with a matrix, and is left out. In doubt, there is only one. Pure.
 */
export function namesOfModels(files: readonly KindFile[]): readonly string[] {
  const kinds = kindsOfFiles(files);
  const names = new Map<string, string>();
  for (const { path } of files) {
    const whole = kinds.get(path) === 'gguf' ? splitName(path)?.whole : undefined;
    if (whole === undefined || otherPart.test(whole)) continue;
    const stem = whole.slice(whole.lastIndexOf('/') + 1).replace(/\.gguf$/i, '');
    const name = trim(withoutLabels(stem)).toLowerCase();
    if (!general.has(name)) names.set(name, names.get(name) ?? spelledIn(stem, name));
  }
  const isVariant = (name: string): boolean => [...names.keys()].some((other) => other !== name && name.startsWith(other));
  return [...names].filter(([name]) => !isVariant(name)).map(([, spelled]) => spelled);
}

/** Whether some files are weights, in any format that skulk knows. Pure. */
export function hasWeights(files: readonly KindFile[]): boolean {
  return kindsOfFiles(files)
    .values()
    .some((kind) => kind !== 'plain' && kind !== 'litter' && kind !== 'weights-index');
}

const trim = (name: string): string => name.replace(/^[-_. ]+|[-_. ]+$/g, '').replace(/([-_. ])[-_. ]+/g, '$1');

/** The name as the file spells it, if it is one piece of the file's name. */
function spelledIn(stem: string, name: string): string {
  const at = stem.toLowerCase().indexOf(name);
  return at === -1 ? name : stem.slice(at, at + name.length);
}
