const hubToken = /\bhf_[A-Za-z0-9]{6,}/g;
/** A shorter one cannot be told from ordinary text. */
const shortestSecret = 3;

/** Replaces secrets, as they are and as they stand in a URL, and whatever looks like a Hugging Face token. */
export function redact(text: string, secrets: Iterable<string | undefined>): string {
  let shown = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.length < shortestSecret) continue;
    shown = shown.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return shown.replaceAll(hubToken, 'hf_***');
}
