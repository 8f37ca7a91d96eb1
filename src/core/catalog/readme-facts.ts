import { isModelId } from '../kernel/model-id.ts';

/** Data from the front matter of a README; undefined if it is missing. */
export interface ReadmeFacts {
  /** The Hub's name of the licence: `apache-2.0`. */
  readonly license?: string | undefined;
  /** The first model from which it was made. */
  readonly baseModel?: string | undefined;
}

/** No model has longer front matter. */
const maxLength = 64 * 1024;

/**
 * Reads two fields of a front matter, line by line. They are only shown, so a YAML parser is not needed. Pure. Source:
 * https://huggingface.co/docs/hub/model-cards#model-card-metadata
 */
export function readReadmeFacts(text: string): ReadmeFacts {
  const [, matter] = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text.slice(0, maxLength)) ?? [];
  if (matter === undefined) return {};
  const lines = matter.split(/\r?\n/);
  const license = plain(fieldOf(lines, 'license'));
  const baseModel = plain(fieldOf(lines, 'base_model'));
  return {
    ...(license !== undefined && /^[\w.+-]{1,60}$/.test(license) && { license }),
    ...(baseModel !== undefined && isModelId(baseModel) && { baseModel }),
  };
}

/** The value of a field, or the first one in its list. */
function fieldOf(lines: readonly string[], name: string): string | undefined {
  const at = lines.findIndex((line) => line.startsWith(`${name}:`));
  const value = lines[at]?.slice(name.length + 1).trim() ?? '';
  if (value !== '') return /^\[\s*([^,\]]*)/.exec(value)?.[1] ?? value;
  return /^\s*-\s+(.*)$/.exec(lines[at + 1] ?? '')?.[1];
}

const plain = (value: string | undefined): string | undefined =>
  value
    ?.replace(/\s+#.*$/, '')
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
