/** Why a file in a model's directory is not a file of the model; undefined if it is one. */
export function whyNotModelFile(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const top = path.split('/', 1)[0] ?? '';
  if (name === '.DS_Store' || name === 'Thumbs.db' || name.startsWith('._')) return 'written by a file manager';
  if (top === '.git') return 'belongs to git';
  if (path.startsWith(huggingFaceCache)) return 'belongs to the Hugging Face tools';
  // The Python program's mark of the downloaded revision.
  if (/^\.skulk-source-revision(-staging)?$/.test(name)) return 'belongs to skulk';
  if (top === '.skulk' || path === '.skulk.json' || path === '.last_used') return 'belongs to skulk';
  if (/\.(partial|incomplete|aria2|part|crdownload)$/i.test(name)) return 'part of an unfinished download';
  return undefined;
}

/**
 * Recognizes useless files that systems and downloads leave beside a model's own files. Such a file beside a user's file belongs to the
 * user. A file with only a similar name belongs to the user too.
 * @param own the paths of the model's files
 */
export function systemFilesBeside(own: ReadonlySet<string>): (path: string) => boolean {
  const directories = new Set<string>();
  for (const path of own)
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) directories.add(path.slice(0, end));
  const isOfTools = (path: string): boolean =>
    ['.gitignore', 'CACHEDIR.TAG'].includes(path) ||
    (path.startsWith('download/') &&
      (/\/[^/]+\.(?:[0-9a-f]{40}|[0-9a-f]{64})\.incomplete$/.test(path) ||
        own.has(/^download\/(.*)\.(?:metadata|lock)$/.exec(path)?.[1] ?? '')));
  return (path) => {
    const start = path.lastIndexOf('/') + 1;
    const name = path.slice(start);
    if (name === '.DS_Store' || name === 'Thumbs.db' || marksOfPython.has(path)) return true;
    if (path.startsWith(huggingFaceCache)) return isOfTools(path.slice(huggingFaceCache.length));
    if (name.endsWith('.partial')) return own.has(path.slice(0, -'.partial'.length));
    const of = name.startsWith('._') ? path.slice(0, start) + name.slice(2) : undefined;
    return of !== undefined && (own.has(of) || directories.has(of));
  };
}

/** Files of the Python program beside a model that it downloaded or staged, useless without that model. */
const marksOfPython = new Set(['.skulk-source-revision', '.skulk-source-revision-staging', '.skulk/installed-card.json', '.last_used']);

const huggingFaceCache = '.cache/huggingface/';
