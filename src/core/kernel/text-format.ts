/** The formats of texts in settings: a pattern for schemas, and what a person reads when a text does not match it. */
export const textFormats = {
  /** Bytes a second: `500M`, `20 MiB`. */
  size: { pattern: '^\\d+(\\.\\d+)?\\s*[kmgtKMGT]?(i?[bB])?$', message: 'must be a size such as 500M or 20MiB' },
  hostOrAddress: { pattern: '^[^\\s/]+$', message: 'must be a host name or address, without spaces and slashes' },
  hostName: { pattern: '^[A-Za-z0-9._-]+$', message: 'must be a host name of letters, digits, dots and hyphens' },
  oneWord: { pattern: '^\\S+$', message: 'must not contain spaces' },
  origin: {
    pattern: '^https?://[A-Za-z0-9._:[\\]-]+$',
    message: 'must be the origin of a page, such as https://chat.example.com, without a path',
  },
  token: { pattern: '^[\\x21-\\x7e]+$', message: 'must consist of printable ASCII characters without spaces' },
} as const;

const messages = new Map<string, string>(Object.values(textFormats).map(({ pattern, message }) => [pattern, message]));

/** What a text that does not match a pattern must be; undefined for a pattern that is not one of the formats. Pure. */
export const messageOfPattern = (pattern: string): string | undefined => messages.get(pattern);
