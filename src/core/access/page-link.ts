/** The link that opens the page with a code. The code stands where no browser sends it to a server by itself. */
export const pageLink = (apiUrl: string, code: string): string => `${apiUrl.replace(/\/+$/, '')}/#code=${code}`;
