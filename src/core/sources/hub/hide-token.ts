const hubToken = /\bhf_[A-Za-z0-9]{6,}/gi;
/** A shorter token could also be ordinary text. */
const shortestToken = 8;

/** What errors quote. Other headers must stay as they are: the path of a redirect may contain what looks like a token. */
const quotedHeaders = ['x-error-message', 'x-repo-commit', 'content-encoding', 'content-length'];

/** Hides a token that a server sends back in a text, in any case, because host names lose theirs. Pure. */
export const hideToken = (text: string, token: string | undefined): string => hideOwn(text, token).replaceAll(hubToken, 'hf_***');

function hideOwn(text: string, token: string | undefined): string {
  if (token === undefined || token.length < shortestToken) return text;
  return text.replaceAll(new RegExp(token.replaceAll(/[^A-Za-z0-9_]/g, String.raw`\$&`), 'gi'), '***');
}

/** Whether a server sends a token back in a text, e.g. in the name of a host. Pure. */
export const hasToken = (text: string, token: string | undefined): boolean => hideOwn(text, token) !== text;

/** The same answer, without the token in the headers that errors quote. Everyone on the LAN can read the error of a download. */
export function hideTokenInHeaders(response: Response, token: string | undefined): Response {
  for (const name of quotedHeaders) {
    const value = response.headers.get(name);
    if (value !== null) response.headers.set(name, hideToken(value, token));
  }
  return response;
}
