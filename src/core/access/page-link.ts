/** The link that opens the page with a code. The code is in the fragment, which browsers do not send to servers. */
export const pageLink = (apiUrl: string, code: string): string => `${apiUrl.replace(/\/+$/, '')}/#code=${code}`;
