/** Why a file that lies in a model's directory is not a file of the model, or undefined when it is one. */
export function whyNotModelFile(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const top = path.split('/', 1)[0] ?? '';
  if (name === '.DS_Store' || name === 'Thumbs.db' || name.startsWith('._')) return 'written by a file manager';
  if (top === '.git') return 'belongs to git';
  if (path.startsWith('.cache/huggingface/')) return 'belongs to the Hugging Face tools';
  if (top === '.skulk' || path === '.skulk.json' || path === '.last_used') return 'belongs to skulk';
  if (/\.(partial|incomplete|aria2|part|crdownload)$/i.test(name)) return 'left over from an unfinished download';
  return undefined;
}

/** Whether a file that lies in a model's directory is what systems and downloads leave behind, of use to nobody. */
export function isLitter(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    name === '.DS_Store' ||
    name === 'Thumbs.db' ||
    name.startsWith('._') ||
    path.startsWith('.cache/huggingface/') ||
    name.endsWith('.partial')
  );
}

/** Whether a path is a multimodal projector: `mmproj` in its base name, in any case, and `.gguf` at its end. */
export function isProjector(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.endsWith('.gguf') && name.toLowerCase().includes('mmproj');
}

/** Whether a repo that ships a projector is here without it, so that the model could not see. */
export const lacksProjector = (files: readonly string[], repoHasProjector: boolean | null): boolean =>
  repoHasProjector === true && !files.some(isProjector);
