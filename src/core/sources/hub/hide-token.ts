const hubToken = /\bhf_[A-Za-z0-9]{6,}/gi;
/** A shorter token could also be ordinary text. */
const shortestToken = 3;

/** Hides a token that a server sends back in a text, in any case, because host names lose theirs. Pure. */
export function hideToken(text: string, token: string | undefined): string {
  const isLong = token !== undefined && token.length >= shortestToken;
  const hidden = isLong ? text.replaceAll(new RegExp(token.replaceAll(/[^A-Za-z0-9_]/g, String.raw`\$&`), 'gi'), '***') : text;
  return hidden.replaceAll(hubToken, 'hf_***');
}

/** The same answer, whose headers do not have the token. Everyone on the LAN can read the error of a download. */
export function hideTokenInHeaders(response: Response, token: string | undefined): Response {
  for (const [name, value] of [...response.headers]) {
    const hidden = hideToken(value, token);
    if (hidden !== value) response.headers.set(name, hidden);
  }
  return response;
}
