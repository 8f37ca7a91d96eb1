import { describe, expect, test } from 'vitest';
import { changeConfigText } from '../../src/core/config/change-file.ts';
import { parseAsPyYaml } from '../../src/core/config/pyyaml.ts';
import { parseConfig } from '../../src/core/config/read-file.ts';

const failure = (text: string, path = '/f.yaml'): { message: string; hint: string | undefined } => {
  try {
    parseConfig(text, path);
  } catch (error) {
    return error as { message: string; hint: string | undefined };
  }
  throw new Error('it was accepted');
};

describe('a plain YAML scalar', () => {
  // The result of `yaml.safe_load` of PyYAML 6.
  test.each<[string, unknown]>([
    ...['yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map((text): [string, unknown] => [text, true]),
    ...['no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'].map((text): [string, unknown] => [text, false]),
    ...['y', 'n', 'Y', 'N', 'oN', 'tRue', 'yES', '08', '1e3', '1.5e3', '0o17', '0:30', '2020-01-01', '1.2.3'].map(
      (text): [string, unknown] => [text, text],
    ),
    ...['~', 'null', 'Null', 'NULL', ''].map((text): [string, unknown] => [text, null]),
    ['010', 8],
    ['1_000', 1000],
    ['1:30', 90],
    ['0x1F', 31],
    ['0b11', 3],
    ['1.5e+3', 1500],
    ['1.', 1],
    ['.5', 0.5],
    ['1_0.5', 10.5],
    ['1:30.5', 90.5],
    ['"58080"', '58080'],
    ['-.inf', Number.NEGATIVE_INFINITY],
  ])('is read as PyYAML reads it: %s', (text, value) => {
    expect(parseAsPyYaml(`a: ${text}\n`, { path: '/f.yaml' }).toJS()).toEqual({ a: value });
  });

  test('a configuration file in JSON is read as JSON', () => {
    expect(parseAsPyYaml('{"a": 1e3, "b": "yes"}', { path: '/f.json' }).toJS()).toEqual({ a: 1000, b: 'yes' });
  });
});

describe('a configuration file', () => {
  test('can merge mappings, and its own keys override merged ones', () => {
    const { content } = parseConfig(
      `base: &base {staging_keep_recent_gb: 5, enabled: yes}
more: &more {enabled: no, node_cache_path: /c}
model_store:
  staging:
    <<: [*base, *more]
  node_overrides:
    a: {staging: {<<: *base, staging_keep_recent_gb: 7}}
`,
      '/f.yaml',
    );
    expect(content.model_store).toEqual({
      staging: { staging_keep_recent_gb: 5, enabled: true, node_cache_path: '/c' },
      node_overrides: { a: { staging: { staging_keep_recent_gb: 7, enabled: true } } },
    });
  });

  test.each([
    'model_store:\n',
    'model_store: ~\n',
    'model_store:\n  # nothing yet\nhf_token: x\n',
    'model_store:\n  staging:\n  download:\n  auth:\n  node_overrides:\n',
    'model_store:\n  node_overrides:\n    a:\n    b:\n      staging:\n',
    '\ufeffmodel_store:\r\n  enabled: yes\r\n',
    '',
    '# only a comment\n',
    '---\n',
  ])('with empty sections has the defaults: %j', (text) => {
    expect(parseConfig(text, '/f.yaml').content).toBeDefined();
  });

  test('can have a section of later Python releases, which is noted once and ignored', () => {
    const text = 'model_store:\n  store_host: a\n  reconciliation:\n    enabled: true\n    interval_seconds: 300\n';
    const { content, notes } = parseConfig(text, '/f.yaml');
    expect(content.model_store).toEqual({ store_host: 'a' });
    expect(notes).toEqual([expect.stringMatching(/^\/f\.yaml:3: model_store\.reconciliation /)]);
    expect(failure('model_store:\n  reconcilliation: {}\n').message).toContain('/f.yaml:2: model_store.reconcilliation is not known');
  });

  test('is refused if it has a key of model_store twice, with both lines, and duplicate keys of other programs are ignored', () => {
    expect(failure('model_store:\n  store_port: 1\n  store_host: a\n  store_port: 2\n').message).toBe(
      '/f.yaml:4: model_store.store_port appears twice, on lines 2 and 4',
    );
    expect(failure('{"model_store": {"store_port": 1,\n "store_port": 2}}', '/f.json').message).toContain('on lines 1 and 2');
    expect(parseConfig('inference: {a: 1, a: 2}\nlogging: 1\nlogging: 2\n', '/f.yaml').content).toMatchObject({ logging: 2 });
  });

  test('keeps its merge keys and words when one setting is changed', () => {
    const text = 'base: &b\n  enabled: yes\nmodel_store:\n  enabled: on\n  staging:\n    <<: *b\n';
    const { text: changed, read } = changeConfigText(text, '/f.yaml', [[['model_store', 'store_host'], 'yes']]);
    expect(changed).toContain('    <<: *b\n');
    expect(changed).toContain('enabled: on\n');
    expect(read.content.model_store).toMatchObject({ store_host: 'yes', enabled: true, staging: { enabled: true } });
  });
});

describe('a file that was damaged by a download gets a clear message', () => {
  test.each([
    ['all lines', 'model_store:\nenabled: true\nstore_host: kite3\nstaging:\nenabled: true\n'],
    ['all lines, with a comment between', 'model_store:\n# the host\nenabled: true\nstore_host: kite3\n'],
    ['with spaces of a web page', 'model_store:\n\u00a0\u00a0enabled: true\n\u00a0\u00a0store_host: kite3\n'],
    ['after a section of another program', 'inference: {a: 1}\nmodel_store:\nenabled: true\nstore_host: kite3\nhf_token: x\n'],
    ['with Windows line ends', 'model_store:\r\nenabled: true\r\nstore_host: kite3\r\n'],
  ])('when the indentation was lost: %s', (_, text) => {
    const { message, hint } = failure(text);
    expect(message).toMatch(/^\/f\.yaml:\d: the lines below "model_store:" must be indented/);
    expect(hint).toContain('model_store:\n  enabled: true\n  store_host: kite3');
  });

  test('when the indentation was lost within a section', () => {
    const { message, hint } = failure('model_store:\n  store_host: a\n  staging:\n  enabled: true\n  node_cache_path: /c\n');
    expect(message).toContain('/f.yaml:4: the lines below "staging:" must be indented');
    expect(hint).toContain('  staging:\n    enabled: true\n    node_cache_path: /c');
  });

  test('unless only an empty section precedes the keys of model_store', () => {
    expect(parseConfig('model_store:\n  staging:\n  enabled: true\n', '/f.yaml').content.model_store).toEqual({ enabled: true });
  });

  test.each([
    ['a tab', 'model_store:\n\tstore_host: a\n', /\/f\.yaml:2: a tab is used for indentation/],
    ['NUL characters, as in UTF-16', 'm\0o\0d\0e\0l\0', /\/f\.yaml:1: it contains a NUL character/],
    ['NUL characters further down', 'model_store:\n  store_host: "a\0b"\n', /\/f\.yaml:2: it contains a NUL character/],
    ['a merge of what is no mapping', 'a: &a 1\nmodel_store: {<<: *a}\n', /\/f\.yaml: .*[Mm]erge/],
    ['a list of sections', 'model_store:\n  - store_host: a\n', /model_store must be an object/],
  ])('for %s', (_, text, message) => {
    expect(failure(text).message).toMatch(message);
  });
});
