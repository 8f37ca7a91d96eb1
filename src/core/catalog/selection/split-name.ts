/** How one GGUF file was split into several. */
export type Cut =
  /** It was not split. */
  | 'none'
  /** Shards of llama.cpp, `<base>-NNNNN-of-NNNNN.gguf`: each is a GGUF file, and a program loads the first. */
  | 'shards'
  /** Plain pieces: joined in order they are the original file. */
  | 'bytes'
  /** In a way that the names do not show, such as archives. */
  | 'unknown';

/** The position of a GGUF file, or of a piece of one, in its group, according to its name. */
export interface SplitName {
  readonly cut: Cut;
  /** The same for all files of a group, and unique per group. */
  readonly key: string;
  /** The path of the whole: `X.gguf` for `X-00001-of-00002.gguf`. */
  readonly whole: string;
  /** The position in the group. */
  readonly index: number;
  /** The number of files in the group; undefined if the names do not show it. */
  readonly count: number | undefined;
  /** The path of the file at another position. */
  readonly nameAt: (index: number) => string;
}

interface Spelling {
  readonly pattern: RegExp;
  readonly cut: Cut;
  readonly read: (match: RegExpExecArray) => Omit<SplitName, 'cut'>;
}

/** Only a number with leading zeros shows the width of all. */
const padded = (number: number, like: string): string =>
  like.startsWith('0') ? String(number).padStart(like.length, '0') : String(number);
const isLetters = (text: string): boolean => /^[A-Za-z]+$/.test(text);

/** `a` is 0, `b` is 1; `aa` is 0, `ab` is 1: the counting of coreutils' `split`. */
const numberOfLetters = (letters: string): number =>
  [...letters.toLowerCase()].reduce((sum, letter) => sum * 26 + (letter.charCodeAt(0) - 97), 0);
const lettersOf = (number: number, like: string): string =>
  Array.from({ length: like.length }, (_, at) => String.fromCharCode(97 + (Math.floor(number / 26 ** (like.length - 1 - at)) % 26))).join(
    '',
  );

/** Numbered pieces with their count: `before` N `between` M `after`. */
const counted =
  (wholeOf: (stem: string) => string) =>
  ([, stem = '', before = '', number = '', between = '', count = '', after = '']: RegExpExecArray) => ({
    key: [stem, before, between, count, after].join('\0'),
    whole: wholeOf(stem),
    index: Number(number),
    count: Number(count),
    nameAt: (index: number) => `${stem}${before}${padded(index, number)}${between}${count}${after}`,
  });

/** Pieces with letters or a number, without their count. */
const uncounted = ([, stem = '', before = '', place = '', after = '']: RegExpExecArray) => ({
  key: [stem, before, isLetters(place) ? place.length : '', after].join('\0'),
  whole: stem,
  index: isLetters(place) ? numberOfLetters(place) : Number(place || 0),
  count: undefined,
  nameAt: (index: number) => `${stem}${before}${isLetters(place) ? lettersOf(index, place) : padded(index, place)}${after}`,
});

/** All volumes of an archive are one group; their names do not show whether one is missing. */
const archive = ([path = '', stem = '']: RegExpExecArray) => ({
  key: `${stem}\0archive`,
  whole: stem,
  index: 0,
  count: undefined,
  nameAt: () => path,
});

/** The first match counts. */
const spellings: readonly Spelling[] = [
  { cut: 'shards', pattern: /^(.*)(-)(\d{5})(-of-)(\d{5})(\.gguf)$/is, read: counted((stem) => `${stem}.gguf`) },
  { cut: 'bytes', pattern: /^(.*)(-chunk-)(\d{1,5})(-of-)(\d{1,5})(\.gguf)$/is, read: counted((stem) => `${stem}.gguf`) },
  { cut: 'bytes', pattern: /^(.*\.gguf)([._-]part[._-]?)(\d{1,5})([._-]?of[._-]?)(\d{1,5})()$/is, read: counted((stem) => stem) },
  { cut: 'bytes', pattern: /^(.*\.gguf)(-split-|[._-]part[._-]?|\.)([a-z]|[ab][a-z])()$/is, read: uncounted },
  // Only recognized, so that these are not taken for something else.
  {
    cut: 'unknown',
    pattern: /^(.*\.gguf)([._-](?:part|split|chunk|piece|p)?[._-]?)(\d{1,5})([._-]?of[._-]?)(\d{1,5})()$/is,
    read: counted((stem) => stem),
  },
  { cut: 'unknown', pattern: /^(.*\.gguf)([._-](?:part|split|chunk|piece|p)?[._-]?)(\d{1,5})()$/is, read: uncounted },
  { cut: 'unknown', pattern: /^(.*\.gguf)([._-](?:part|split|chunk|piece)?[._-]?x?)([a-z]|[ab][a-z])()$/is, read: uncounted },
  { cut: 'unknown', pattern: /^(.*\.gguf)([._-]part[._-]?\d{0,5}\.(?:zip|7z|rar))()()$/is, read: archive },
  { cut: 'unknown', pattern: /^(.*\.gguf)(\.(?:zip|7z|rar|tar|gz|tgz|xz|zst|bz2|lz4|[zr]\d\d)\b[^/]*)()()$/is, read: archive },
  {
    cut: 'unknown',
    pattern: /^(.*)([._-](?:part|split|chunk|piece)?[._-]?| \(?)(\d{1,5})([._-]?of[._-]?| of )(\d{1,5})(\)?\.gguf)$/is,
    read: counted((stem) => `${stem}.gguf`),
  },
  {
    cut: 'unknown',
    pattern: /^(.*)([._-](?:part|split|chunk|piece)[._-]?)(\d{1,5}|[a-z]|[ab][a-z])(\.gguf)$/is,
    read: (match) => ({ ...uncounted(match), whole: `${match[1]}.gguf` }),
  },
];

/** Parses the name of a GGUF file or a piece of one; undefined for any other file. */
export function splitName(path: string): SplitName | undefined {
  // Most files of most repos do not even contain the word.
  if (!/\.gguf/i.test(path)) return undefined;
  for (const { pattern, cut, read } of spellings) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const place = read(match);
    return { ...place, cut, key: `${cut}\0${place.key}` };
  }
  if (!/\.gguf$/i.test(path)) return undefined;
  return { cut: 'none', key: `none\0${path}`, whole: path, index: 0, count: 1, nameAt: () => path };
}
