import { isModelId } from '../kernel/model-id.ts';

/** What the front matter of a README says of its model; undefined for what it does not say. */
export interface ReadmeFacts {
  /** As the Hub names licences: `apache-2.0`. */
  readonly license?: string | undefined;
  /** The first model that it was made of. */
  readonly baseModel?: string | undefined;
}

/** The front matter of no model is longer. */
const maxLength = 64 * 1024;

/**
 * Reads two fields of a front matter, line by line: what a README says is only shown, so it is not worth a parser of YAML. Pure.
 * Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata
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

/** The value of a field, or the first one of its list. */
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
