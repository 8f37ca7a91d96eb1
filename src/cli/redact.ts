const hubToken = /\bhf_[A-Za-z0-9]{6,}/g;
/** A shorter secret could also be ordinary text. */
const shortestSecret = 3;

/** Replaces secrets, plain or URL-encoded, and everything that looks like a Hugging Face token. */
export function redact(text: string, secrets: Iterable<string | undefined>): string {
  let shown = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.length < shortestSecret) continue;
    shown = shown.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return shown.replaceAll(hubToken, 'hf_***');
}
